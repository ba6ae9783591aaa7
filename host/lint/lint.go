// Package lint runs linters over the files of projects. What a linter said of a
// file is kept under a key of all that decides it, so that only files that changed,
// or whose inputs did, are looked at again; where nothing did, no linter is
// touched. Findings are results; a linter that did not work is a fault of its own
// and keeps no other from being run.
//
// # Contract
//
// What a Linter that is not whole says of a file depends on that file, its path and
// the inputs, and on nothing else. Files are hashed before they are looked at and
// again after it: what was said of one that changed in between is told and not kept.
//
// A fix is applied by the host alone, file by file, each by one rename, and only to
// what the linter has seen.
package lint

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Tool is what looks at files and mends them. It may be used by several goroutines.
type Tool interface {
	// Lint returns what there is to say of files, given by workspace paths, and of
	// how many the Tool itself had kept that.
	Lint(ctx context.Context, files []string) (said []abi.Diagnostic, kept int, err error)
	// Format returns the edits that make files what they should be.
	Format(ctx context.Context, files []string) ([]abi.Edit, error)
}

// Linter is a Tool for the files of one project.
type Linter struct {
	Name    string
	Project string   // its path
	Files   *Globs   // which of the project's files it looks at
	Inputs  []string // globs of further files that decide what it says; nil = the default ones
	Whole   bool     // files are judged together, all in one call
	Most    int      // files in one call; 0 = any number
	Key     string   // all that decides what it says besides files; "" = nobody knows, and nothing is kept
	FixKey  string   // the same of Format
	Formats bool     // Format mends; else the safe fixes of diagnostics do
	Tool    Tool
}

// Job is a linter and the files that it is to look at, sorted.
type Job struct {
	Linter
	Files []string
}

// Config is what carrying out jobs takes.
type Config struct {
	Tree  *Tree
	Cache *cache.Cache // nil: nothing is kept
	Jobs  int          // calls of tools at once
	Wrote func()       // called when Fix has written to files; nil = nobody wants to know
	Now   func() time.Time
}

// Do carries out jobs. When ctx ends first, the report says interrupted.
func Do(ctx context.Context, jobs []Job, c Config) *report.Lint {
	out := &report.Lint{Started: c.Now().UTC(), Linters: make([]report.Linted, len(jobs)), Files: different(jobs)}
	group := &errgroup.Group{}
	pieces := make(chan piece)
	// Why not a goroutine for each piece: of thousands most are known, and to grow
	// a stack takes an eighth of the time in which they are looked up.
	for range max(1, c.Jobs) {
		group.Go(func() error {
			for p := range pieces {
				p.look(ctx, p.files)
			}
			return nil
		})
	}
	for i, j := range jobs {
		w := &work{Job: j, Config: c, out: &out.Linters[i]}
		for _, files := range w.missing() {
			pieces <- piece{w, files}
		}
	}
	close(pieces)
	_ = group.Wait() // what goes wrong is told by each for itself
	out.Elapsed, out.Interrupted = c.Now().Sub(out.Started), ctx.Err() != nil
	return out
}

// different is how many files jobs look at, each counted once.
func different(jobs []Job) int {
	all := map[string]bool{}
	for _, j := range jobs {
		for _, file := range j.Files {
			all[file] = true
		}
	}
	return len(all)
}

// work is a job that is carried out.
type work struct {
	Job
	Config
	out *report.Linted

	mu sync.Mutex // guards out
}

// piece is one call of a tool.
type piece struct {
	*work
	files []string
}

// missing takes what is known and returns the rest, as the calls that it takes.
func (w *work) missing() [][]string {
	w.out.Linter, w.out.Project, w.out.Files = w.Name, w.Project, len(w.Files)
	w.out.Diagnostics = []abi.Diagnostic{}
	if len(w.Files) == 0 {
		return nil
	}
	keys := w.keys(w.Tree, w.Key)
	if w.Whole {
		return w.missingWhole(keys)
	}
	var rest []string
	for _, file := range w.Files {
		known, ok := w.known(keys, file)
		if !ok {
			rest = append(rest, file)
			continue
		}
		w.out.Cached++
		w.out.Diagnostics = append(w.out.Diagnostics, known...)
	}
	return batches(rest, w.Most, w.Jobs)
}

func (w *work) missingWhole(keys *keys) [][]string {
	known, ok := w.known(keys, "")
	if !ok {
		return [][]string{w.Files}
	}
	w.out.Cached, w.out.Diagnostics = len(w.Files), append(w.out.Diagnostics, known...)
	return nil
}

// look has the tool look at files.
func (w *work) look(ctx context.Context, files []string) {
	if ctx.Err() != nil {
		return
	}
	began := w.Now()
	before := w.keysOf(w.Tree, files)
	said, kept, err := w.Tool.Lint(ctx, files)
	if err == nil {
		w.complete(said)
		w.keep(before, files, said)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Elapsed += w.Now().Sub(began)
	w.out.Cached += kept
	w.out.Diagnostics = append(w.out.Diagnostics, said...)
	if err != nil && ctx.Err() == nil && w.out.Fault == nil {
		w.out.Fault = told(err)
	}
}

// complete has each diagnostic name its rule.
func (w *work) complete(said []abi.Diagnostic) {
	for i := range said {
		if said[i].Rule == "" {
			said[i].Rule = w.Name
		}
	}
}

// told is err as a fault.
func told(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	return fault.Of(err)
}

// The most that one call is given: arguments have to fit on a command line.
const (
	mostFiles = 400
	mostBytes = 64 << 10
)

// batches parts files into calls, of which jobs can run at once.
func batches(files []string, most, jobs int) [][]string {
	size := min(max(1, (len(files)+max(1, jobs)-1)/max(1, jobs)), mostFiles)
	if most > 0 {
		size = min(size, most)
	}
	var all [][]string
	var now []string
	bytes := 0
	for _, file := range files {
		if len(now) > 0 && (len(now) >= size || bytes+len(file) > mostBytes) {
			all, now, bytes = append(all, now), nil, 0
		}
		now, bytes = append(now, file), bytes+len(file)
	}
	if len(now) > 0 {
		all = append(all, now)
	}
	return all
}
