package image

import (
	"strings"

	buildkit "github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"

	"github.com/wr-build/wr/runtime/spec"
)

// progress turns BuildKit's status into steps and remembers what an error
// needs. It is used by one goroutine at a time.
type progress struct {
	report func(spec.Step)
	steps  map[digest.Digest]*step
	failed *step // the first step that failed by itself
}

// step is one vertex of the build.
type step struct {
	last spec.Step // as reported
	tail tail      // of its output
}

// newProgress reports to report, which may be nil.
func newProgress(report func(spec.Step)) *progress {
	if report == nil {
		report = func(spec.Step) {}
	}
	return &progress{report: report, steps: map[digest.Digest]*step{}}
}

// note tells the user something about the build as a whole.
func (p *progress) note(text string) { p.report(spec.Step{ID: "note " + text, Name: text, Done: true}) }

// update reports what changed.
func (p *progress) update(s *buildkit.SolveStatus) {
	for _, v := range s.Vertexes {
		p.vertex(v)
	}
	for _, l := range s.Logs {
		p.log(l)
	}
	for _, w := range s.Warnings {
		p.note(string(w.Short))
	}
}

// vertex reports a step that started, ended or failed.
func (p *progress) vertex(v *buildkit.Vertex) {
	if v.Started == nil && v.Error == "" {
		return
	}
	s := p.step(v.Digest)
	now := spec.Step{ID: v.Digest.Encoded(), Name: v.Name, Done: v.Completed != nil, Cached: v.Cached, Error: v.Error}
	if now == s.last {
		return
	}
	s.last = now
	if v.Error != "" && !strings.Contains(v.Error, "context canceled") && p.failed == nil {
		p.failed = s
	}
	p.report(now)
}

// log reports output of a step.
func (p *progress) log(l *buildkit.VertexLog) {
	s := p.step(l.Vertex)
	s.tail.add(string(l.Data))
	p.report(spec.Step{ID: l.Vertex.Encoded(), Name: s.last.Name, Log: string(l.Data)})
}

// step is the state of a vertex.
func (p *progress) step(d digest.Digest) *step {
	s, ok := p.steps[d]
	if !ok {
		s = &step{}
		p.steps[d] = s
	}
	return s
}

// output is the end of what the failed step wrote.
func (p *progress) output() string {
	if p.failed == nil {
		return ""
	}
	return p.failed.tail.text()
}
