package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
)

// findings is how diagnostics of files below root are shown on stdout.
func (a *app) findings(root string, lines report.Lines) ui.LintView {
	return ui.LintView{
		Style: a.style(a.Out), Lines: lines, Snippet: interactive(a.Out),
		Name: func(file string) string { return relative(filepath.Join(root, filepath.FromSlash(file)), a.dir) },
	}
}

// linesBelow reads lines of files below root, each file once.
func linesBelow(root string) report.Lines {
	known := map[string][]string{}
	return func(file string, line int) (string, bool) {
		all, ok := known[file]
		if !ok {
			if text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file))); err == nil && file != "" {
				all = strings.Split(string(text), "\n")
			}
			known[file] = all
		}
		if line < 1 || line > len(all) {
			return "", false
		}
		return strings.TrimSuffix(all[line-1], "\r"), true
	}
}

// eventsFile is the record of the last run of linters, in their folder.
const eventsFile = "events.ndjson"

// record keeps what happened as events, in place of those of the run before. Why no
// folder for each run, as tests have: an editor lints at every save.
func (l *linting) record(r *report.Lint) error {
	own, err := l.ownState(l.ws)
	if err != nil {
		return err
	}
	defer own.Close()
	folder, err := own.Enter(lintFolder)
	if err != nil {
		return err
	}
	defer folder.Close()
	var text bytes.Buffer
	sink := ui.NewJSON(&text)
	stream := event.NewStream(time.Now, sink)
	for _, e := range lintEvents(r, l.args) {
		stream.Emit(e)
	}
	if err := sink.Close(); err != nil {
		return err
	}
	return folder.Replace(eventsFile, func(f *os.File) error {
		_, err := f.Write(text.Bytes())
		return err
	})
}

// lintEvents are the facts of r.
func lintEvents(r *report.Lint, args []string) []event.Event {
	all := []event.Event{{Type: event.RunStarted, Version: r.Version, Args: args}}
	for _, one := range r.Linters {
		for _, d := range one.Diagnostics {
			all = append(all, event.Event{
				Type: event.Found, Project: one.Project, Linter: one.Linter, File: d.File, Line: d.Range.Start.Line, Column: d.Range.Start.Column,
				Severity: string(d.Severity), Rule: d.Rule, Text: d.Message,
			})
		}
		all = append(all, event.Event{
			Type: event.LinterFinished, Project: one.Project, Linter: one.Linter, Count: one.Files, CachedCount: one.Cached, Elapsed: one.Elapsed, Fault: one.Fault,
		})
	}
	for _, file := range r.Fixed {
		all = append(all, event.Event{Type: event.Fixed, File: file})
	}
	return append(all, event.Event{Type: event.RunFinished, Exit: r.Exit, Elapsed: r.Elapsed, Interrupted: r.Interrupted})
}
