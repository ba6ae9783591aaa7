// Package ui draws the events of a run: live lines on a terminal, append-only
// lines everywhere else. It only ever reads events; nothing of a run depends
// on what is drawn.
package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
)

// Sink draws events until it is closed.
type Sink interface {
	event.Sink
	io.Closer
}

// Style says how much the output may show off.
type Style struct {
	Color   bool // SGR escape codes
	GitHub  bool // ::group:: markers of GitHub Actions
	Quiet   bool // failures and the last line only
	Verbose bool // a line for each case as well
}

// The few colours wr uses, as SGR parameters.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
	bold   = "1"
	dim    = "2"
)

func (s Style) paint(sgr, text string) string {
	if !s.Color || text == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

// seconds writes d as people read durations of tests: "0.42s", "12.3s", "2m05s".
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
}

// printable removes what could take over a terminal: control characters other
// than tab and newline. Output of tests is shown, never obeyed.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) {
			return -1
		}
		return r
	}, text)
}

// oneLine is the last non-empty line of text, printable, cut to width cells.
func oneLine(text string, width int) string {
	lines := strings.Split(strings.TrimRight(printable(text), " \n\t"), "\n")
	return cut(strings.TrimSpace(strings.ReplaceAll(lines[len(lines)-1], "\t", " ")), width)
}

// cut shortens text to width runes with an ellipsis.
func cut(text string, width int) string {
	runes := []rune(text)
	if width <= 0 || len(runes) <= width {
		return text
	}
	return string(runes[:max(0, width-1)]) + "…"
}
