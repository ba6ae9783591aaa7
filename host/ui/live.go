package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wr-build/wr/host/event"
)

// Live is the sink for a terminal: one line for each project at work, redrawn
// in place below what has been said for good. Failures are printed when they
// happen.
type Live struct {
	w     io.Writer
	style Style
	width func() int // columns of the terminal now
	now   func() time.Time

	mu    sync.Mutex // guards all below and the writer
	tally map[string]*tally
	takes map[string]time.Duration // by unit: what earlier runs took
	units []*unit                  // at work, in order of start
	drawn int                      // lines of the region on screen
	frame int

	once sync.Once // closes stop
	stop chan struct{}
	done chan struct{}
}

// unit is one project at work.
type unit struct {
	project string
	phase   string
	text    string
	began   time.Time
}

// frames of the spinner, and how often it turns.
var frames = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

const tick = 100 * time.Millisecond

// NewLive returns a sink that draws on the terminal w, whose width is asked
// before each drawing. Close must be called to stop it.
func NewLive(w io.Writer, style Style, width func() int) *Live {
	l := &Live{
		w: w, style: style, width: width, now: time.Now,
		tally: map[string]*tally{}, takes: map[string]time.Duration{}, stop: make(chan struct{}), done: make(chan struct{}),
	}
	go l.animate()
	return l
}

// Close removes the live lines and stops drawing. It may be called again.
func (l *Live) Close() error {
	l.once.Do(func() { close(l.stop) })
	<-l.done
	l.mu.Lock()
	defer l.mu.Unlock()
	l.units = nil
	l.draw("")
	return nil
}

func (l *Live) animate() {
	defer close(l.done)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.mu.Lock()
			l.frame++
			l.draw("")
			l.mu.Unlock()
		}
	}
}

// Emit draws e.
func (l *Live) Emit(e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Type {
	case event.ProjectPlanned:
		l.takes[e.Unit().String()] = e.Estimate
		if said := l.style.moved(e); said != "" {
			l.draw(said)
		}
	case event.BuildStarted:
		l.begin(e.Unit().String(), "build", "")
	case event.BuildStep:
		l.unit(e.Unit().String()).text = e.Text
	case event.BuildFinished:
		l.end(e.Unit().String())
		if !e.Cached && e.Fault == nil {
			l.draw(l.style.built(e))
		}
	case event.ResultMissed, event.ResultKept:
		if text := l.style.cache(e); text != "" && !l.style.Quiet {
			l.draw(text)
		}
	case event.TestStarted:
		l.begin(e.Unit().String(), "test", "starting")
	case event.DebuggerWaits:
		l.unit(e.Unit().String()).text = "waits for an editor"
		l.draw(l.style.waits(e))
	case event.Collected:
		count(l.tally, e)
		l.unit(e.Unit().String()).text = fmt.Sprintf("%d collected", len(e.Cases))
	case event.CaseStarted:
		l.unit(e.Unit().String()).text = e.Case
	case event.SessionStarted, event.CaseRetried, event.CaseFinished, event.CollectFailed, event.Warning, event.SessionFinished:
		if e.Project != "" {
			count(l.tally, e)
		}
		if text := l.style.told(e); text != "" {
			l.draw(text)
		}
	case event.Found, event.Checked:
		if text := l.style.checked(e); text != "" {
			l.draw(text)
		}
	case event.ProjectFinished:
		l.end(e.Unit().String())
		l.draw(l.style.finished(e, l.tally[e.Unit().String()]))
	}
}

func (l *Live) begin(project, phase, text string) {
	u := l.unit(project)
	u.phase, u.text, u.began = phase, text, l.now()
}

// unit returns the line of project, made when there is none.
func (l *Live) unit(project string) *unit {
	for _, u := range l.units {
		if u.project == project {
			return u
		}
	}
	u := &unit{project: project, began: l.now()}
	l.units = append(l.units, u)
	return u
}

func (l *Live) end(project string) {
	for i, u := range l.units {
		if u.project == project {
			l.units = append(l.units[:i], l.units[i+1:]...)
			return
		}
	}
}

// draw erases the live lines, prints said for good, and draws them again.
func (l *Live) draw(said string) {
	var b strings.Builder
	if l.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", l.drawn)
	}
	b.WriteString(said)
	width := max(20, l.width()-1)
	for _, u := range l.units {
		b.WriteString(l.line(u, width) + "\n")
	}
	l.drawn = len(l.units)
	_, _ = io.WriteString(l.w, b.String()) // a terminal that is gone has no one to tell
}

// line is "⠹ optimizer  test  12/30  test_load.py::test_x  3.21s of ~12.0s" within
// width.
func (l *Live) line(u *unit, width int) string {
	progress := ""
	if t := l.tally[u.project]; t != nil && u.phase == "test" && t.total > 0 {
		progress = fmt.Sprintf("%d/%d  ", len(t.outcomes), t.total)
	}
	elapsed := seconds(l.now().Sub(u.began))
	if takes := l.takes[u.project]; takes > 0 && u.phase == "test" {
		elapsed += " of ~" + seconds(takes)
	}
	fixed := fmt.Sprintf("%s %s  %s  %s  %s", frames[0], u.project, u.phase, progress, elapsed)
	text := oneLine(u.text, max(1, width-len([]rune(fixed))))
	return fmt.Sprintf("%s %s  %s  %s%s  %s", l.style.paint(cyan, frames[l.frame%len(frames)]),
		l.style.paint(bold, u.project), l.style.paint(dim, u.phase), progress, text, l.style.paint(dim, elapsed))
}
