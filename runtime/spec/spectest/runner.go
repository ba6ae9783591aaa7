package spectest

import (
	"context"
	"slices"
	"sync"

	"github.com/wr-build/wr/runtime/spec"
)

// Run is one call of a Runner.
type Run struct {
	Container spec.Container
	Process   spec.Process
}

// Runner is a fake spec.Runner. The zero value runs everything with exit code
// 0 and no output.
type Runner struct {
	// OnRun is the process: it may write to io, and it says how the process
	// ends. An error is a container that could not be made. When ctx ends, it
	// should return; Run then returns context.Cause(ctx) whatever it says.
	OnRun func(ctx context.Context, c spec.Container, p spec.Process, io spec.Stdio) (spec.Exit, error)

	mu    sync.Mutex // guards the rest
	runs  []Run
	gauge gauge
}

var _ spec.Runner = (*Runner)(nil)

// Run implements spec.Runner.
func (r *Runner) Run(ctx context.Context, c spec.Container, p spec.Process, io spec.Stdio) (spec.Exit, error) {
	r.enter(Run{Container: c, Process: p})
	defer r.leave()
	if err := context.Cause(ctx); err != nil {
		return spec.Exit{}, err
	}
	var (
		exit spec.Exit
		err  error
	)
	if r.OnRun != nil {
		exit, err = r.OnRun(ctx, c, p, io)
	}
	if cause := context.Cause(ctx); cause != nil {
		return spec.Exit{}, cause
	}
	return exit, err
}

// Runs returns the runs asked for, in the order in which they began.
func (r *Runner) Runs() []Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.runs)
}

// Running returns how many runs go on now.
func (r *Runner) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gauge.now
}

// Peak returns how many runs went on at once, at most.
func (r *Runner) Peak() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gauge.peak
}

func (r *Runner) enter(run Run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.runs = append(r.runs, run)
	r.gauge.up()
}

func (r *Runner) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gauge.down()
}

// Script returns an OnRun that answers by image: the first answer of a list
// for the first run of that image and so on, the last one from then on. An
// image without answers exits with 0.
func Script(answers map[string][]Answer) func(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
	var mu sync.Mutex // guards left
	left := make(map[string][]Answer, len(answers))
	for image, list := range answers {
		left[image] = slices.Clone(list)
	}
	return func(_ context.Context, c spec.Container, _ spec.Process, io spec.Stdio) (spec.Exit, error) {
		mu.Lock()
		list := left[c.Image]
		if len(list) > 1 {
			left[c.Image] = list[1:]
		}
		mu.Unlock()
		if len(list) == 0 {
			return spec.Exit{}, nil
		}
		return list[0].give(io)
	}
}

// Answer is how one run ends.
type Answer struct {
	Out  string // written to stdout, when there is one
	Exit spec.Exit
	Err  error
}

func (a Answer) give(io spec.Stdio) (spec.Exit, error) {
	if a.Out != "" && io.Out != nil {
		if _, err := io.Out.WriteString(a.Out); err != nil {
			return spec.Exit{}, err
		}
	}
	return a.Exit, a.Err
}
