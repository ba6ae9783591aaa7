package ui

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Lines is the sink for everything that is no terminal: it appends lines and
// never takes one back. What belongs to one project is printed together, when
// the project has ended.
type Lines struct {
	w     io.Writer
	style Style
	tally map[string]*tally
	held  map[string]*strings.Builder // failures of projects that still run
	steps map[string]string           // the last line of each project's build
}

// NewLines returns a sink that writes to w.
func NewLines(w io.Writer, style Style) *Lines {
	return &Lines{w: w, style: style, tally: map[string]*tally{}, held: map[string]*strings.Builder{}, steps: map[string]string{}}
}

// Emit draws e.
func (l *Lines) Emit(e event.Event) {
	switch e.Type {
	case event.ProjectPlanned:
		l.say(l.style.moved(e))
	case event.BuildStarted:
		l.say(l.style.line(e.Unit().String(), "build", e.Image))
	case event.BuildStep:
		l.step(e)
	case event.BuildFinished:
		l.say(l.style.built(e))
	case event.TestStarted:
		if !e.Cached {
			l.say(l.style.line(e.Unit().String(), "test", "started"))
		}
	case event.ResultMissed, event.ResultKept:
		l.say(l.style.cache(e))
	case event.DebuggerWaits:
		fmt.Fprint(l.w, l.style.waits(e)) // whoever wants it quiet waits as well
	case event.SessionStarted, event.CaseRetried, event.CaseFinished, event.CollectFailed, event.Warning, event.SessionFinished:
		if e.Project == "" {
			fmt.Fprint(l.w, l.style.told(e))
			return
		}
		count(l.tally, e)
		if text := l.style.told(e); text != "" {
			l.hold(e.Unit().String()).WriteString(text)
		}
	case event.Found, event.Checked:
		fmt.Fprint(l.w, l.style.checked(e))
	case event.ProjectFinished:
		l.finish(e)
	}
}

// step says what a build does, each thing once and not what it does for itself.
func (l *Lines) step(e event.Event) {
	line := l.style.line(e.Unit().String(), "build", oneLine(e.Text, 0))
	if line != l.steps[e.Unit().String()] && !strings.HasPrefix(e.Text, "[internal]") {
		l.say(line)
	}
	l.steps[e.Unit().String()] = line
}

// Close writes what is still held of projects that never finished.
func (l *Lines) Close() error {
	for _, project := range slices.Sorted(maps.Keys(l.held)) {
		fmt.Fprint(l.w, l.style.group(project, l.held[project].String()))
	}
	clear(l.held)
	return nil
}

func (l *Lines) hold(project string) *strings.Builder {
	if l.held[project] == nil {
		l.held[project] = &strings.Builder{}
	}
	return l.held[project]
}

// finish prints a project's failures as one group, then its result.
func (l *Lines) finish(e event.Event) {
	if text := l.hold(e.Unit().String()).String(); text != "" {
		fmt.Fprint(l.w, l.style.group(e.Unit().String(), text))
	}
	delete(l.held, e.Unit().String())
	if !l.style.Quiet || e.Fault != nil {
		fmt.Fprint(l.w, l.style.finished(e, l.tally[e.Unit().String()]))
	}
}

func (l *Lines) say(line string) {
	if line != "" && !l.style.Quiet {
		fmt.Fprint(l.w, line)
	}
}

// line is "project  phase  text".
func (s Style) line(project, phase, text string) string {
	return fmt.Sprintf("%s  %s  %s\n", s.paint(bold, project), s.paint(dim, phase), text)
}

// moved is the line for cases that are planned late, or "".
func (s Style) moved(e event.Event) string {
	switch len(e.Cases) {
	case 0:
		return ""
	case 1:
		return s.line(e.Unit().String(), "plan", "1 case belongs here, as only Python could tell: "+oneLine(e.Cases[0], 0))
	default:
		return s.line(e.Unit().String(), "plan", fmt.Sprintf("%d cases belong here, as only Python could tell", len(e.Cases)))
	}
}

// built is the line for the end of a build; a failure is told with the project's end.
func (s Style) built(e event.Event) string {
	switch {
	case e.Fault != nil:
		return ""
	case e.Cached:
		return s.line(e.Unit().String(), "build", "up to date")
	case e.Text != "":
		return s.line(e.Unit().String(), "build", "pulled "+e.Text+" in "+seconds(e.Elapsed))
	default:
		return s.line(e.Unit().String(), "build", "done in "+seconds(e.Elapsed))
	}
}

// waits says where and how to attach an editor.
func (s Style) waits(e event.Event) string {
	var b strings.Builder
	b.WriteString(s.line(e.Unit().String(), "debug", "waits for an editor to attach to "+s.paint(bold, e.Text)))
	indented(&b, e.Details)
	return b.String()
}

// told is what is said for good of a case, of a collection or of what is behind
// them, or "".
func (s Style) told(e event.Event) string {
	text := s.failure(e)
	if text == "" && s.Verbose && e.Type == event.CaseFinished {
		return s.ended(e)
	}
	return text
}

// ended is the line of a case that is no failure.
func (s Style) ended(e event.Event) string {
	mark, why := s.paint(green, "✓"), ""
	if e.Outcome != event.Passed {
		mark, why = s.paint(yellow, "–"), "  "+string(e.Outcome)
		if e.Text != "" {
			why += ": " + headline(e.Text)
		}
	}
	return fmt.Sprintf("%s %s  %s%s  %s\n", mark, e.Unit(), printable(e.Case), why, s.paint(dim, seconds(e.Elapsed)))
}

// failure is the whole story of a failed case or collection, or of what is
// behind it, or "".
func (s Style) failure(e event.Event) string {
	var title string
	switch {
	case e.Type == event.Warning && e.Fault != nil:
		return "\n" + s.Warning(e.Fault)
	case e.Type == event.CaseRetried:
		return s.retried(e)
	case e.Type == event.CollectFailed:
		title = "cannot collect " + e.Case
	case e.Outcome == event.Failed, e.Outcome == event.Errored:
		title = string(e.Outcome) + " " + e.Case
	default:
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s %s", s.paint(red, "✗ "+e.Unit().String()), s.paint(bold, printable(title)))
	if e.File != "" {
		fmt.Fprintf(&b, "  %s", s.paint(dim, position(e.File, e.Line)))
	}
	b.WriteString("\n")
	body := e.Details
	if body == "" {
		body = e.Text
	} else if !strings.Contains(body, e.Text) { // "attempt 3: ...", "failed in 2 of 100: ...", "it took longer than 1s"
		b.WriteString("  " + headline(e.Text) + "\n")
	}
	indented(&b, body)
	s.captured(&b, "stdout", e.Stdout)
	s.captured(&b, "stderr", e.Stderr)
	if again := report.Again(e.Project, e.Case); again != "" {
		b.WriteString("  " + s.paint(dim, "again: "+printable(again)) + "\n")
	}
	return b.String()
}

// retried is the line of an attempt that failed and that another one follows.
func (s Style) retried(e event.Event) string {
	if e.Outcome != event.Failed && e.Outcome != event.Errored {
		return ""
	}
	return fmt.Sprintf("%s %s  %s\n", s.paint(yellow, "↻ "+e.Unit().String()), printable(e.Case), s.paint(dim, fmt.Sprintf("attempt %d %s: %s", e.Attempt, e.Outcome, headline(e.Text))))
}

// headline is the first line of text.
func headline(text string) string {
	head, _, _ := strings.Cut(text, "\n")
	return oneLine(head, 0)
}

func (s Style) captured(b *strings.Builder, name, text string) {
	if strings.TrimSpace(text) != "" {
		b.WriteString("  " + s.paint(dim, "captured "+name) + "\n")
		indented(b, text)
	}
}

func indented(b *strings.Builder, text string) {
	for line := range strings.Lines(strings.TrimRight(printable(text), "\n")) {
		b.WriteString("    " + strings.TrimRight(line, "\n") + "\n")
	}
}

// finished is the line, or with a fault the block, that closes a project.
func (s Style) finished(e event.Event, t *tally) string {
	switch {
	case e.Status == event.None:
		return fmt.Sprintf("%s %s  no tests by declaration: %s\n", s.paint(dim, "–"), s.paint(bold, e.Unit().String()), e.Text)
	case e.Status == event.Interrupted:
		return fmt.Sprintf("%s %s  interrupted\n", s.paint(yellow, "!"), s.paint(bold, e.Unit().String()))
	case e.Status == event.Stopped:
		return fmt.Sprintf("%s %s  stopped: %s\n", s.paint(yellow, "!"), s.paint(bold, e.Unit().String()), printable(e.Text))
	case e.Status == event.OK && t.String() == "":
		return fmt.Sprintf("%s %s  nothing to run  %s\n", s.paint(dim, "–"), s.paint(bold, e.Unit().String()), s.paint(dim, seconds(e.Elapsed)))
	case e.Status == event.OK:
		return fmt.Sprintf("%s %s  %s  %s\n", s.paint(green, "✓"), s.paint(bold, e.Unit().String()), t, s.paint(dim, seconds(e.Elapsed)+cachedFrom(e)))
	case e.Fault != nil:
		return fmt.Sprintf("%s %s  %s\n%s", s.paint(red, "✗"), s.paint(bold, e.Unit().String()), t, s.Fault(e.Fault))
	default:
		return fmt.Sprintf("%s %s  %s  %s\n", s.paint(red, "✗"), s.paint(bold, e.Unit().String()), t, s.paint(dim, seconds(e.Elapsed)))
	}
}

// cache is the line of why tests run although there is a cache, or why what they gave
// is not kept, which only -v asks for; "" = there is nothing to say.
func (s Style) cache(e event.Event) string {
	switch {
	case e.Type == event.ResultMissed:
		return s.line(e.Unit().String(), "cache", printable(e.Text))
	case s.Verbose && e.Text != "":
		return s.line(e.Unit().String(), "cache", "not kept: "+printable(e.Text))
	default:
		return ""
	}
}

// cachedFrom says of which run the tests that e ends are told; "" = of this one.
func cachedFrom(e event.Event) string {
	if !e.Cached {
		return ""
	}
	return "  cached, from " + e.Run
}

// Fault is a fault in words: what happened, where, details, and what to do next.
func (s Style) Fault(f *fault.Error) string { return s.words(s.paint(red, "error:"), f) }

// Warning is Fault for one that is no failure by itself.
func (s Style) Warning(f *fault.Error) string { return s.words(s.paint(yellow, "warning:"), f) }

func (s Style) words(kind string, f *fault.Error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s %s", kind, printable(f.Message))
	if f.Hint != "" {
		fmt.Fprintf(&b, " (did you mean %s?)", s.paint(bold, f.Hint))
	}
	fmt.Fprintf(&b, " %s\n", s.paint(dim, "["+f.Code+"]"))
	if f.File != "" {
		fmt.Fprintf(&b, "     at: %s\n", position(f.File, f.Line))
	}
	if f.Details != "" {
		indented(&b, f.Details)
	}
	for line := range strings.Lines(f.Next) {
		fmt.Fprintf(&b, "   next: %s\n", strings.TrimRight(line, "\n"))
	}
	return b.String()
}

func position(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}
