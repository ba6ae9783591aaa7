package conform

import (
	"fmt"
	"maps"
	"slices"
)

// Rows are the beginnings of the rows that the page of the protocol has for methods.
func Rows() []string {
	var rows []string
	for _, methods := range []map[string]method{asked, asking} {
		for _, name := range slices.Sorted(maps.Keys(methods)) {
			m := methods[name]
			result := " "
			if m.result != "" {
				result = " `" + m.result + "` "
			}
			rows = append(rows, fmt.Sprintf("| `%s` | `%s` |%s|", name, m.params, result))
		}
	}
	return rows
}
