package hook

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// functions are those of the host for one call. They remember which of them were
// used, and what of the workspace they looked at for the plugin.
type functions struct {
	plugin *Plugin
	clock  *clock
	all    call.Functions

	mu    sync.Mutex // guards what follows
	used  []string
	asked []trace.Trace
}

// functions are those of the host for one call.
func (p *Plugin) functions(project string, clock *clock) *functions {
	f := &functions{plugin: p, clock: clock}
	if p.config.Functions != nil {
		f.all = p.config.Functions(project)
	}
	f.all.Grants, f.all.Project = p.config.Grants, project
	if p.config.Memo != nil {
		f.all.Hash = f.hash
	}
	if ready := f.all.Ready; ready != nil {
		f.all.Ready = func(ctx context.Context, project string) error {
			f.clock.hold()
			defer f.clock.release()
			return ready(ctx, project)
		}
	}
	return f
}

// Handle answers one request of the plugin.
func (f *functions) Handle(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error) {
	f.mu.Lock()
	f.used = append(f.used, method)
	f.mu.Unlock()
	return f.all.Handle(ctx, method, params)
}

// hash hashes files that the plugin may read, as if it had read them itself.
func (f *functions) hash(ctx context.Context, globs []string) (map[string]string, error) {
	h, err := f.plugin.config.Memo.Hash(ctx, f.plugin.config.Grants.Texts(), globs)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, h.Asked)
	return h.Files, err
}

// hashed is all that was looked at for hashes.
func (f *functions) hashed() trace.Trace {
	f.mu.Lock()
	defer f.mu.Unlock()
	return trace.Union(f.asked...)
}

// live are the functions that were used and whose answers may be others next time:
// of files it is known whether they are the same.
func (f *functions) live() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	live := slices.DeleteFunc(slices.Clone(f.used), func(method string) bool { return method == abi.MethodHash })
	slices.Sort(live)
	return slices.Compact(live)
}
