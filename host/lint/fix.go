package lint

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// maxRounds is how often fixes of diagnostics are applied and looked for again.
const maxRounds = 10

// Fix mends what can be mended, linter after linter, so that each one sees what those
// before it have made, and returns what is left to be said then.
func Fix(ctx context.Context, jobs []Job, c Config) *report.Lint {
	began := c.Now()
	failed := make([]*fault.Error, len(jobs))
	written := map[string]bool{}
	for i, j := range jobs {
		files, err := j.fix(ctx, c)
		for _, file := range files {
			written[file] = true
		}
		if err != nil && ctx.Err() == nil {
			failed[i] = told(err)
		}
	}
	out := Do(ctx, jobs, c)
	for i, f := range failed {
		out.Linters[i].Fault = cmp.Or(f, out.Linters[i].Fault)
	}
	out.Started, out.Elapsed = began.UTC(), c.Now().Sub(began)
	out.Fixed = slices.Sorted(maps.Keys(written))
	return out
}

// fix mends the files of j and returns those that were written.
func (j Job) fix(ctx context.Context, c Config) (written []string, err error) {
	if j.Formats {
		return j.format(ctx, c)
	}
	for range maxRounds {
		seen := c.Tree.seen(j.Files)
		said := Do(ctx, []Job{j}, c).Linters[0]
		var fixes []abi.Fix
		for _, d := range said.Diagnostics {
			if i := slices.IndexFunc(d.Fixes, func(f abi.Fix) bool { return f.Safe }); i >= 0 {
				fixes = append(fixes, d.Fixes[i])
			}
		}
		now, err := c.apply(disjoint(fixes), seen)
		written = append(written, now...)
		if err != nil || len(now) == 0 || ctx.Err() != nil {
			return written, err
		}
	}
	return written, nil
}

// apply applies edits, and says that it did.
func (c Config) apply(edits []abi.Edit, seen map[string]string) ([]string, error) {
	written, err := c.Tree.apply(edits, seen)
	if len(written) > 0 && c.Wrote != nil {
		c.Wrote()
	}
	return written, err
}

// seen is what counts of files now.
func (t *Tree) seen(files []string) map[string]string {
	all := map[string]string{}
	for _, file := range files {
		if sum, err := t.sum(file); err == nil {
			all[file] = sum
		}
	}
	return all
}

// format has the tool say how files should be, those left out that are known to be so.
func (j Job) format(ctx context.Context, c Config) ([]string, error) {
	w := &work{Job: j, Config: c}
	known := w.keys(c.Tree, j.FixKey)
	files := slices.DeleteFunc(slices.Clone(j.Files), func(file string) bool {
		_, ok := w.known(known, file)
		return ok
	})
	if len(files) == 0 {
		return nil, nil
	}
	if j.Whole {
		files = j.Files
	}
	seen, before := c.Tree.seen(files), keysOf(known, files)
	edits, err := w.edits(ctx, files)
	if err != nil {
		return nil, err
	}
	w.keepFormatted(files, before, edits)
	return c.apply(edits, seen)
}

// edits are those of all files. Of half of them nothing is taken over.
func (w *work) edits(ctx context.Context, files []string) ([]abi.Edit, error) {
	calls := [][]string{files}
	if !w.Whole {
		calls = batches(files, 0, w.Jobs)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, w.Jobs))
	var mu sync.Mutex // guards all
	var all []abi.Edit
	for _, call := range calls {
		group.Go(func() error {
			edits, err := w.Tool.Format(ctx, call)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, edits...)
			return err
		})
	}
	return all, group.Wait()
}

// keepFormatted keeps which files are as they should be.
func (w *work) keepFormatted(files []string, before []cache.Key, edits []abi.Edit) {
	differs := map[string]bool{}
	for _, e := range edits {
		differs[e.File] = true
	}
	if w.Whole && len(differs) > 0 {
		return
	}
	now := keysOf(w.keys(w.Tree.again(), w.FixKey), files)
	for i, file := range files {
		if !differs[file] && before[i] == now[i] && now[i] != (cache.Key{}) {
			w.Cache.PutResult(now[i], cache.Result{Data: []byte("null")})
		}
	}
}
