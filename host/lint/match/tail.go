package match

import "strings"

// maxTail is how much of what a tool printed a fault shows, in bytes.
const maxTail = 4 << 10

// Tail is as much of the end of what a tool printed as a fault shows, in whole lines.
func Tail(text string) string {
	if len(text) > maxTail {
		_, text, _ = strings.Cut(text[len(text)-maxTail:], "\n")
	}
	return strings.ToValidUTF8(text, "\ufffd")
}
