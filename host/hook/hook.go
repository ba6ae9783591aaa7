// Package hook asks plugins: it makes typed calls into them, keeps what they gave,
// and says in wr's words what went wrong.
//
// A Plugin costs nothing until it is asked something that nobody has kept the
// answer of. Then its process is started (host/plugin/sandbox), and it is spoken
// with (host/plugin/rpc), or, if it is a program that knows nothing of wr, called
// and what it prints is read (host/lint/match). An answer is kept with all that the plugin saw of the
// workspace (host/plugin/memo).
//
// # Contract
//
// One that breaks, lies or takes too long fails what it was asked for and nothing
// else: other calls that its process answered at the same time are asked once more.
// One that broke three times is not asked any more.
package hook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
	"github.com/wr-build/wr/sdk/go/abi"
)

// goodbye is how long a plugin may take to end.
const goodbye = time.Second

// Config is a plugin as it is to be asked.
type Config struct {
	Manifest  abi.Manifest
	Process   sandbox.Config                  // all but Mount, Clock and Random, which follow from Grants; a tool needs its Root
	Ready     func(ctx context.Context) error // has the module lie where Process says, before it is started; nil = it does
	View      vfs.Mount                       // all but Globs and At
	Grants    Grants
	Time      time.Duration                       // a call may take at most; 0 = DefaultTime
	Pending   int64                               // requests of the plugin that are answered at once; 0 = DefaultPending
	Table     json.RawMessage                     // its config table; nil = none
	Host      abi.Party                           // who asks
	Functions func(project string) call.Functions // all but Grants; nil = none is to be had
	Memo      *memo.Memo                          // nil = nothing is kept, and nothing hashed for it
	Anew      bool                                // what was kept is not used: for who wants to see it work
	Watch     Watch
	Listener  rpc.Listener
	Log       func(line []byte) // what the plugin writes to stderr; nil = only its end is kept, for faults
}

// Grants are the capabilities that a plugin has.
type Grants interface {
	call.Grants
	// Values are those of the capabilities with one name; not nil for one without
	// values that is granted.
	Values(name string) []string
	// Texts are all capabilities as abi.Capability prints them, sorted.
	Texts() []string
}

// What bounds a call of which nobody says anything else.
const (
	DefaultTime    = time.Minute
	DefaultPending = 16
)

// Plugin is a plugin that can be asked. It is safe for concurrent use.
type Plugin struct {
	config Config
	tool   *tool         // nil = it speaks wr/1
	grants []string      // all of them, as they are printed
	turns  chan struct{} // of calls that run

	mu    sync.Mutex // guards what follows
	child *sandbox.Child
	idle  []*session
	broke int // how often it broke
}

// New returns a plugin that nobody has asked yet. Nothing is started.
func New(c Config) (*Plugin, error) {
	if c.Time == 0 {
		c.Time = DefaultTime
	}
	if c.Pending == 0 {
		c.Pending = DefaultPending
	}
	c.View.Globs = c.Grants.Values(abi.CapRead)
	c.Process.Clock = c.Grants.Values(abi.CapClock) != nil
	c.Process.Random = c.Grants.Values(abi.CapRandom) != nil
	var program *tool
	var err error
	if c.Manifest.Kind == abi.KindTool {
		if program, err = newTool(c.Manifest); err != nil {
			return nil, fmt.Errorf("prepare plugin %s: %w", c.Manifest.Name, err)
		}
		c.View.At = program.root
	}
	view, err := json.Marshal(c.View)
	if err != nil {
		return nil, fmt.Errorf("prepare plugin %s: %w", c.Manifest.Name, err)
	}
	calls := cmp.Or(c.Process.Limits.Instances, sandbox.Default().Instances)
	if len(c.Manifest.Provides.Events) > 0 {
		c.Process.Limits.Instances = calls + 1 // one hears of events as long as the run goes on
	}
	c.Listener.Called = called
	c.Process.Mount, c.Process.Name = view, c.Manifest.Name
	return &Plugin{config: c, tool: program, grants: c.Grants.Texts(), turns: make(chan struct{}, calls)}, nil
}

// Name is the plugin's.
func (p *Plugin) Name() string { return p.config.Manifest.Name }

// Close ends what runs of the plugin. It must not be asked any more.
func (p *Plugin) Close(ctx context.Context) error {
	p.mu.Lock()
	idle, child := p.idle, p.child
	p.idle, p.child = nil, nil
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := p.goodbye(ctx, idle)
	if child != nil {
		err = errors.Join(err, child.Close())
	}
	return err
}

// goodbye ends sessions in good order, as long as all is well.
func (p *Plugin) goodbye(ctx context.Context, idle []*session) error {
	for i, s := range idle {
		err := s.close(ctx)
		if err == nil {
			continue
		}
		for _, rest := range idle[i+1:] {
			_ = rest.instance.Close()
		}
		return p.broken(s, err)
	}
	return nil
}

// alive returns the plugin's process, started if there is none.
func (p *Plugin) alive(ctx context.Context) (*sandbox.Child, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil {
		return p.child, nil
	}
	if p.config.Ready != nil {
		if err := p.config.Ready(ctx); err != nil {
			return nil, err
		}
	}
	child, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	p.child = child
	return child, nil
}

// bury forgets a process that is gone, with all its instances.
func (p *Plugin) bury(child *sandbox.Child) {
	p.mu.Lock()
	if p.child != child {
		p.mu.Unlock()
		return
	}
	idle := p.idle
	p.child, p.idle = nil, nil
	p.mu.Unlock()
	for _, s := range idle {
		_ = s.instance.Close()
	}
	_ = child.Close() // it is gone; nothing of it can fail any more
}
