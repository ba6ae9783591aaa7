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
// used, what was denied, and what of the workspace they looked at for the plugin.
type functions struct {
	plugin *Plugin
	clock  *clock
	all    call.Functions

	mu     sync.Mutex // guards what follows
	used   []string
	denied []abi.Denied
	asked  []trace.Trace
}

// functions are those of the host for one call; clock nil = it has no end.
func (p *Plugin) functions(project string, clock *clock) *functions {
	f := &functions{plugin: p, clock: clock}
	if p.config.Functions != nil {
		f.all = p.config.Functions(project)
	}
	f.all.Grants, f.all.Project = p.config.Grants, project
	if p.config.Memo != nil {
		f.all.Hash = f.hash
	}
	if ready := f.all.Ready; ready != nil && clock != nil {
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
	result, err := f.all.Handle(ctx, method, params)
	f.note(method, err)
	return result, err
}

// note remembers a request of the plugin, each function once: it may ask a million
// times, also for what there is not.
func (f *functions) note(method string, err *abi.Error) {
	if err != nil && err.Code == abi.CodeMethodNotFound {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.used, method) {
		f.used = append(f.used, method)
	}
	var d abi.Denied
	if err == nil || err.Code != abi.CodeDenied || json.Unmarshal(err.Data, &d) != nil || len(f.denied) == maxDenied {
		return
	}
	if !slices.Contains(f.denied, d) {
		f.denied = append(f.denied, d)
	}
}

// maxDenied is how many denials of one call are remembered.
const maxDenied = 100

// denial is what the host has denied, by its capability.
func (f *functions) denial(capability string) (abi.Denied, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.denied, func(d abi.Denied) bool { return d.Capability == capability })
	if i < 0 {
		return abi.Denied{}, false
	}
	return f.denied[i], true
}

// hash hashes files that the plugin may read, as if it had read them itself.
func (f *functions) hash(ctx context.Context, globs []string) (map[string]string, error) {
	h, err := f.plugin.config.Memo.Hash(ctx, f.plugin.config.Grants.Texts(), globs)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = []trace.Trace{trace.Union(append(f.asked, h.Asked)...)} // one, however often it asks
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
	return live
}
