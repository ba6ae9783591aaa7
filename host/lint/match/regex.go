package match

import (
	"strconv"

	"github.com/wr-build/wr/sdk/go/abi"
)

// regex has a diagnostic at each match. What does not match is other talk.
func (r *reading) regex() []abi.Diagnostic {
	var all []abi.Diagnostic
	text := r.text()
	for _, at := range r.pattern.FindAllSubmatchIndex(text, -1) {
		group := func(name string) string {
			i := r.pattern.SubexpIndex(name)
			if i < 0 || at[2*i] < 0 {
				return ""
			}
			return string(text[at[2*i]:at[2*i+1]])
		}
		number := func(name string) int {
			n, err := strconv.Atoi(group(name))
			if err != nil {
				return 0
			}
			return n
		}
		d := r.diagnostic(r.File, group("severity"), group("rule"), group("message"))
		if name := group("file"); name != "" {
			d = r.of(name, group("severity"), group("rule"), group("message"))
		}
		d.Range.Start = r.position(d.File, number("line"), number("column"), characters)
		if d.Range.Start.Line > 0 {
			d.Range.End = r.position(d.File, number("end_line"), number("end_column"), characters)
		}
		all = append(all, d)
	}
	return all
}
