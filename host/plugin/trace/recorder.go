package trace

import (
	"cmp"
	"fmt"
	"maps"
	"sync"
)

// Limits of what is recorded. Zero values mean the defaults.
type Limits struct {
	Facts int   `json:"facts,omitempty"` // questions; 0 = 200,000
	Bytes int64 `json:"bytes,omitempty"` // of their paths; 0 = 32 MiB
}

// Recorder takes down what a plugin asks. It is safe for concurrent use.
type Recorder struct {
	limits Limits

	mu    sync.Mutex // guards what follows
	since Trace      // since Take
	bytes int64      // of the paths in since
	start Trace      // before that
}

// NewRecorder returns a recorder without facts.
func NewRecorder(limits Limits) *Recorder {
	limits.Facts = cmp.Or(limits.Facts, 200_000)
	limits.Bytes = cmp.Or(limits.Bytes, 32<<20)
	return &Recorder{limits: limits}
}

// Add takes down a fact. One too many is left out, and leaves a gap.
func (r *Recorder) Add(q Question, a Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.since.facts[q]; !known {
		if len(r.since.facts) >= r.limits.Facts || r.bytes+int64(len(q.Path)) > r.limits.Bytes {
			r.spoil(fmt.Sprintf("the plugin asked for more than %d files", len(r.since.facts)))
			return
		}
		r.bytes += int64(len(q.Path))
	}
	r.since.add(q, a)
}

// Spoil leaves a gap: something that the plugin saw cannot be taken down.
func (r *Recorder) Spoil(gap string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spoil(gap)
}

func (r *Recorder) spoil(gap string) { r.since.gap = cmp.Or(r.since.gap, gap) }

// Take returns what was recorded since the last Take. What an answer of a plugin
// depends on if it remembers nothing from one request to the next.
func (r *Recorder) Take() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.since
	r.start = Union(r.start, taken)
	r.since, r.bytes = Trace{}, 0
	if len(r.start.facts) > r.limits.Facts {
		r.start.gap = cmp.Or(r.start.gap, fmt.Sprintf("the plugin asked for more than %d files", r.limits.Facts))
		r.start.facts = nil // not worth its memory any more
	}
	return taken
}

// All returns everything that was recorded since the start, whatever was taken.
// What an answer of a plugin depends on if it may remember.
func (r *Recorder) All() Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := Union(r.start, r.since)
	all.facts = maps.Clone(all.facts)
	return all
}
