package cli

import (
	"encoding/json"
	"os"
	"runtime"

	"golang.org/x/term"

	"github.com/wr-build/wr/host/ui"
)

// printJSON writes one document to stdout.
func (a *app) printJSON(document any) error {
	e := json.NewEncoder(a.Out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

// style is how wr may write to f.
func (a *app) style(f *os.File) ui.Style {
	return ui.Style{Color: a.colored(f), GitHub: a.Getenv("GITHUB_ACTIONS") == "true", Quiet: a.Quiet, Verbose: a.Verbose > 0 && !a.Quiet}
}

// colored follows --color, then NO_COLOR and FORCE_COLOR, then what f is.
func (a *app) colored(f *os.File) bool {
	switch {
	case a.Color == "always":
		return true
	case a.Color == "never", a.Getenv("NO_COLOR") != "":
		return false
	case a.Getenv("FORCE_COLOR") != "" || a.Getenv("CLICOLOR_FORCE") != "":
		return true
	default:
		return interactive(f) && a.Getenv("TERM") != "dumb"
	}
}

func interactive(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// width is the columns of the terminal f now.
func width(f *os.File) int {
	if columns, _, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// drawing shows events on f: live lines on a terminal, plain lines elsewhere.
func (a *app) drawing(f *os.File) ui.Sink {
	if interactive(f) && !a.Quiet && a.Getenv("TERM") != "dumb" {
		return ui.NewLive(f, a.style(f), func() int { return width(f) })
	}
	return ui.NewLines(f, a.style(f))
}

// jobs is how many containers may run at once.
func (a *app) jobs() int {
	if a.Jobs > 0 {
		return a.Jobs
	}
	return runtime.NumCPU()
}
