package report

import "fmt"

// Percent is part of whole as "84.2%", never rounded up: what falls short of a
// limit must not look as if it reached it.
func Percent(part, whole int) string {
	if whole == 0 {
		return "none"
	}
	permille := part * 1000 / whole
	return fmt.Sprintf("%d.%d%%", permille/10, permille%10)
}
