package ui

import (
	"crypto/rand"
	"io"
	"strings"
)

// Output writes what a plugin has to say as its result. It is shown, and obeyed
// neither by a terminal nor by GitHub. It ends with its last line.
func (s Style) Output(w io.Writer, text string) error {
	if text == "" {
		return nil
	}
	text = strings.TrimSuffix(printable(text), "\n") + "\n"
	if s.GitHub {
		token := rand.Text()
		text = "::stop-commands::" + token + "\n" + text + "::" + token + "::\n"
	}
	_, err := io.WriteString(w, text)
	return err
}
