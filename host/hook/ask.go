package hook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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
	files   []string // that a tool is to look at
}

// answer is what it gave.
type answer struct {
	Out    map[string][]byte // files that it wrote, by path below the workspace's root
	Cached bool              // it was asked earlier, and would say the same now

	asked func() (trace.Trace, error) // of the workspace, and what it was told
}

// find asks a plugin, or takes what is kept, and decodes what it gave into result.
func (p *Plugin) find(ctx context.Context, q question, result any) (answer, error) {
	key, err := p.key(q.method, q.params)
	if err != nil {
		return answer{}, err
	}
	if outcome, found := p.known(key); found && json.Unmarshal(outcome.Result, result) == nil {
		return answer{outcome.Files, true, func() (trace.Trace, error) { return trace.Decode(outcome.Asked) }}, nil
	}
	g, err := p.insist(ctx, q)
	if err != nil {
		return answer{}, err
	}
	if err := json.Unmarshal(g.outcome.Result, result); err != nil {
		f := p.fault(CodeProtocol, fmt.Sprintf("its answer to %s cannot be read: %v", q.method, err), err)
		f.Next = tellAuthor
		return answer{}, f
	}
	if p.config.Memo != nil {
		p.config.Memo.Put(key, g.outcome, g.asked, g.live...)
	}
	return answer{g.outcome.Files, false, func() (trace.Trace, error) { return g.asked, nil }}, nil
}

// key is what decides an answer, besides files.
func (p *Plugin) key(method string, params any) (memo.Call, error) {
	text, err := json.Marshal([]any{p.Name(), params}) // its name is its argument
	if err != nil {
		return memo.Call{}, fmt.Errorf("ask plugin %s for %s: %w", p.Name(), method, err)
	}
	return memo.Call{
		Plugin: p.config.Process.Digest, Grants: p.grants, Config: p.config.Table,
		Method: method, Params: append(text, p.tool.text()...),
	}, nil
}

func (p *Plugin) known(key memo.Call) (memo.Outcome, bool) {
	if p.config.Memo == nil || p.config.Anew {
		return memo.Outcome{}, false
	}
	return p.config.Memo.Get(key)
}

// given is an answer with all that decided it.
type given struct {
	outcome memo.Outcome
	said    []abi.Diagnostic // in place of an outcome, by a tool
	asked   trace.Trace      // of the workspace
	live    []string         // capabilities that it used and that nobody can look at later
}

// insist asks once more where it was not this call that ended the plugin's process,
// or nobody knows what did.
func (p *Plugin) insist(ctx context.Context, q question) (given, error) {
	if err := p.exhausted(); err != nil {
		return given{}, err
	}
	g, err := p.once(ctx, q)
	if fault.HasCode(err, sandbox.CodeStopped) || fault.HasCode(err, sandbox.CodeCrashed) {
		g, err = p.once(ctx, q)
	}
	p.count(err)
	return g, err
}

// maxBroken is how often a plugin may break before it is not asked any more: one
// that takes all its time for each of a thousand files would take hours.
const maxBroken = 3

// exhausted is the fault of a plugin that broke too often.
func (p *Plugin) exhausted() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broke < maxBroken {
		return nil
	}
	f := p.fault(CodeGivenUp, fmt.Sprintf("it broke %d times, and is not asked any more", p.broke), nil)
	f.Next = "look at how it broke, or leave it out: enabled = false in [plugins." + p.Name() + "]"
	return f
}

// count notes whether a call broke the plugin.
func (p *Plugin) count(err error) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || !slices.Contains(breaking, f.Code) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broke++
}

// once asks once.
func (p *Plugin) once(ctx context.Context, q question) (given, error) {
	// Why before its time runs: the module may have to be compiled, which nobody
	// has to wait for but the first.
	if _, err := p.alive(ctx); err != nil {
		return given{}, err
	}
	leave, err := p.enter(ctx)
	if err != nil {
		return given{}, err
	}
	defer leave()
	seen(ctx).attempt()
	if p.tool != nil {
		return p.run(ctx, q)
	}
	ctx, clock, stop := startClock(ctx, p.config.Time)
	defer stop()
	s, err := p.acquire(ctx)
	if err != nil {
		return given{}, err
	}
	s.expect(ctx)
	functions := p.functions(q.project, clock)
	var result json.RawMessage
	if err := s.rpc.Call(ctx, functions, q.method, q.params, &result); err != nil {
		if said, ok := errors.AsType[*abi.Error](err); ok {
			return given{}, p.failed(ctx, s, p.said(q, said, functions))
		}
		return given{}, p.broken(s, err)
	}
	notes, err := s.notes()
	if err != nil {
		return given{}, p.broken(s, err)
	}
	g := given{
		outcome: memo.Outcome{Result: result, Files: notes.Files},
		asked:   trace.Union(s.before, notes.Trace, functions.hashed()),
		live:    append(functions.live(), p.alwaysLive()...),
	}
	if err := p.release(ctx, s); err != nil {
		return given{}, err
	}
	return g, nil
}

// failed is why a call gave nothing, as the plugin itself has said. It is kept.
func (p *Plugin) failed(ctx context.Context, s *session, said error) error {
	if _, err := s.notes(); err != nil { // what it wrote belongs to no answer
		return p.broken(s, err)
	}
	return errors.Join(said, p.release(ctx, s))
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
