package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
)

// cells is how many parts of the time axis can be told apart.
const cells = 1000

// timeline is when what happened.
type timeline struct {
	Ticks []tick
	Lanes []lane
}

// tick is a mark on the axis.
type tick struct {
	X      percent
	Anchor string // which part of the text is there: start, middle or end
	Text   string
}

// lane is one unit on the axis.
type lane struct {
	Unit  string
	Label string // what its bars say, in words
	Bars  []bar
	Cases []bar // as long as they have the same kind
}

// percent is a place or a length on the axis.
type percent float64

func (p percent) String() string { return strconv.FormatFloat(float64(p), 'f', 2, 64) + "%" }

// bar is a stretch of the axis.
type bar struct {
	X, Width percent
	Class    string
	Title    string
}

// axis is the time of a run.
type axis struct {
	from  time.Time
	total time.Duration
}

// draw is the timeline of r, without lanes if r does not say when it was.
func draw(r *report.Run) timeline {
	a := axis{r.Started, r.Elapsed}
	if a.from.IsZero() || a.total <= 0 {
		return timeline{}
	}
	t := timeline{Ticks: a.ticks()}
	for _, p := range r.Projects {
		if l := a.lane(p, r.Last); len(l.Bars) > 0 {
			t.Lanes = append(t.Lanes, l)
		}
	}
	return t
}

// lane is p on the axis; what is not over goes on until the last event.
func (a axis) lane(p *report.Project, last time.Time) lane {
	l, words := lane{Unit: p.Name()}, []string{}
	for _, part := range []struct {
		span       report.Span
		class, did string
	}{{p.Build, "build", built(p)}, {p.Test, "test", "test"}} {
		if part.span.From.IsZero() {
			continue
		}
		if part.span.To.IsZero() {
			part.span.To, part.did = last, part.did+" that was not over"
		}
		b := a.bar(part.span, part.class)
		b.Title = fmt.Sprintf("%s, from %s to %s", part.did, seconds(part.span.From.Sub(a.from)), seconds(part.span.To.Sub(a.from)))
		l.Bars, words = append(l.Bars, b), append(words, b.Title)
	}
	l.Label = p.Name() + ": " + strings.Join(words, "; ")
	l.Cases = a.cases(p)
	return l
}

func built(p *report.Project) string {
	switch {
	case p.Cached:
		return "image was there"
	case p.Pulled != "":
		return "pull"
	default:
		return "build"
	}
}

func (a axis) bar(s report.Span, class string) bar {
	from, to := a.at(s.From), a.at(s.To)
	return bar{X: percent(100 * from), Width: percent(max(100*(to-from), 100/float64(cells))), Class: class}
}

// at is where t is on the axis, from 0 to 1.
func (a axis) at(t time.Time) float64 {
	return min(max(float64(t.Sub(a.from))/float64(a.total), 0), 1)
}

// cases are the cases of p, as stretches of one kind. Where several share a
// part of the axis, the worst is seen.
func (a axis) cases(p *report.Project) []bar {
	kinds := [cells]int{} // 1 + the place in shown; 0 = nothing ran
	for _, c := range p.Cases {
		s, k := c.Span(), shown(c)
		if !s.Over() || k == 0 {
			continue
		}
		last := min(int(a.at(s.To)*cells), cells-1)
		for i := min(int(a.at(s.From)*cells), last); i <= last; i++ {
			kinds[i] = max(kinds[i], k)
		}
	}
	var all []bar
	for from := 0; from < cells; {
		to := from + 1
		for to < cells && kinds[to] == kinds[from] {
			to++
		}
		if k := kinds[from]; k > 0 {
			all = append(all, bar{X: part(from), Width: part(to - from), Class: drawn[k-1]})
		}
		from = to
	}
	return all
}

// drawn are the classes of cases on the axis, the worst last.
var drawn = [...]string{"skipped", "passed", "failed"}

// shown is 1 + the place of c in drawn; 0 = it has not run.
func shown(c *report.Case) int {
	switch c.Outcome {
	case event.Passed, event.XPassed:
		return 2
	case event.Failed, event.Errored:
		return 3
	case event.Skipped, event.XFailed:
		return 1
	default:
		return 0
	}
}

// part is n cells.
func part(n int) percent { return percent(n) * 100 / cells }

// ticks are a few marks at round times.
func (a axis) ticks() []tick {
	step := time.Duration(math.Pow(10, math.Ceil(math.Log10(float64(a.total)))) / 10)
	switch parts := a.total / max(step, 1); {
	case parts < 2:
		step /= 5
	case parts < 4:
		step /= 2
	case parts > 7:
		step *= 2
	}
	var all []tick
	for at := time.Duration(0); at <= a.total && len(all) < cells; at += max(step, 1) {
		x := percent(100 * float64(at) / float64(a.total))
		all = append(all, tick{x, anchor(x), seconds(at)})
	}
	return all
}

// anchor keeps the text of a tick at x within the axis.
func anchor(x percent) string {
	switch {
	case x < 5:
		return "start"
	case x > 95:
		return "end"
	default:
		return "middle"
	}
}
