package cli

import (
	"bufio"
	"fmt"
	"strings"
)

// confirm asks whoever sits at the terminal. Where nobody does, nothing is asked:
// it is not ok.
func (a *app) confirm(question string) (ok bool) {
	if !interactive(a.In) || !interactive(a.Err) {
		return false
	}
	fmt.Fprintf(a.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(a.In).ReadString('\n')
	word := strings.ToLower(strings.TrimSpace(answer))
	return err == nil && (word == "y" || word == "yes")
}
