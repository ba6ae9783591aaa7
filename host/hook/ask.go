package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// question is something that a plugin is asked.
type question struct {
	method  string
	project string
	params  any
	files   []string // of lint and format
}

// answer is what it gave.
type answer struct {
	Out    map[string][]byte // files that it wrote, by path below the workspace's root
	Cached bool              // it was asked earlier, and would say the same now
}

// find asks a plugin, or takes what is kept, and decodes what it gave into result.
func (p *Plugin) find(ctx context.Context, q question, result any) (answer, error) {
	params, err := json.Marshal([]any{q.params, p.config.Manifest.Tool})
	if err != nil {
		return answer{}, fmt.Errorf("ask plugin %s for %s: %w", p.Name(), q.method, err)
	}
	key := memo.Call{
		Plugin: p.config.Process.Digest, Grants: p.config.Grants.Texts(),
		Config: p.config.Table, Method: q.method, Params: params,
	}
	if outcome, found := p.known(key); found && json.Unmarshal(outcome.Result, result) == nil {
		return answer{outcome.Files, true}, nil
	}
	g, err := p.insist(ctx, q)
	if err != nil {
		return answer{}, err
	}
	if err := json.Unmarshal(g.outcome.Result, result); err != nil {
		return answer{}, p.fault(CodeProtocol, fmt.Sprintf("its answer to %s cannot be read: %v", q.method, err), err)
	}
	if p.config.Memo != nil {
		p.config.Memo.Put(key, g.outcome, g.asked, g.live...)
	}
	return answer{g.outcome.Files, false}, nil
}

func (p *Plugin) known(key memo.Call) (memo.Outcome, bool) {
	if p.config.Memo == nil {
		return memo.Outcome{}, false
	}
	return p.config.Memo.Get(key)
}

// given is an answer with all that decided it.
type given struct {
	outcome memo.Outcome
	asked   trace.Trace // of the workspace
	live    []string    // capabilities that it used and that nobody can look at later
}

// insist asks once more where it was not this call that ended the plugin's process,
// or nobody knows what did.
func (p *Plugin) insist(ctx context.Context, q question) (given, error) {
	g, err := p.once(ctx, q)
	if fault.HasCode(err, sandbox.CodeStopped) || fault.HasCode(err, sandbox.CodeCrashed) {
		return p.once(ctx, q)
	}
	return g, err
}

// once asks once.
func (p *Plugin) once(ctx context.Context, q question) (given, error) {
	// Why before its time runs: the module may have to be compiled, which nobody
	// has to wait for but the first.
	if _, err := p.alive(ctx); err != nil {
		return given{}, err
	}
	seen(ctx).attempt()
	if p.tool != nil {
		return p.run(ctx, q)
	}
	ctx, cancel := context.WithTimeout(ctx, p.config.Time)
	defer cancel()
	s, err := p.acquire(ctx)
	if err != nil {
		return given{}, err
	}
	s.expect(ctx)
	functions := p.functions(q.project)
	var result json.RawMessage
	if err := s.rpc.Call(ctx, functions, q.method, q.params, &result); err != nil {
		return given{}, p.failed(ctx, s, q, err)
	}
	notes, err := s.notes()
	if err != nil {
		return given{}, p.broken(s, err)
	}
	g := given{
		outcome: memo.Outcome{Result: result, Files: notes.Files},
		asked:   trace.Union(s.before, notes.Trace),
		live:    append(functions.live(), p.alwaysLive()...),
	}
	p.release(ctx, s)
	return g, nil
}

// failed is why a call gave nothing. A plugin that said so itself is kept.
func (p *Plugin) failed(ctx context.Context, s *session, q question, err error) error {
	said, ok := errors.AsType[*abi.Error](err)
	if !ok {
		return p.broken(s, err)
	}
	if _, err := s.notes(); err != nil { // what it wrote belongs to no answer
		return p.broken(s, err)
	}
	p.release(ctx, s)
	return p.said(q, said)
}

// alwaysLive are the capabilities that nobody sees being used.
func (p *Plugin) alwaysLive() []string {
	var live []string
	if p.config.Process.Clock {
		live = append(live, abi.CapClock)
	}
	if p.config.Process.Random {
		live = append(live, abi.CapRandom)
	}
	return live
}

// functions are those of the host for one call.
func (p *Plugin) functions(project string) *functions {
	f := &functions{}
	if p.config.Functions != nil {
		f.all = p.config.Functions(project)
	}
	f.all.Grants, f.all.Project = p.config.Grants, project
	return f
}

// functions remember which of them were used.
type functions struct {
	all call.Functions

	mu   sync.Mutex // guards used
	used []string
}

// Handle answers one request of the plugin.
func (f *functions) Handle(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error) {
	f.mu.Lock()
	f.used = append(f.used, method)
	f.mu.Unlock()
	return f.all.Handle(ctx, method, params)
}

// live are the functions that were used; what they gave may be another thing next
// time.
func (f *functions) live() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	slices.Sort(f.used)
	return slices.Compact(f.used)
}
