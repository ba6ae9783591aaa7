package ui

import (
	"io"
	"strings"
)

// Output writes what a plugin has to say as its result. It is shown, and obeyed
// neither by a terminal nor by GitHub. It ends with its last line.
func (s Style) Output(w io.Writer, text string) error {
	if text == "" {
		return nil
	}
	_, err := io.WriteString(w, s.inert(strings.TrimSuffix(printable(text), "\n")+"\n"))
	return err
}
