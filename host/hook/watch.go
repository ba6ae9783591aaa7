package hook

import (
	"context"
	"sync"
	"time"

	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Watch is told what a plugin does. What is nil is not told. The functions are called
// from several goroutines, and hold up the plugin.
type Watch struct {
	Asked   func(*Asked)             // at the end of what was asked
	Called  func(*Asked, rpc.Called) // a host function, meanwhile; what was asked is only a name of that by then
	Started func(Started)            // a process of the plugin
	Peak    func(bytes int64)        // memory that a process of it has needed, when it ends; where the system tells
}

// Asked is one thing that a plugin was asked, and how it went.
type Asked struct {
	Method  string
	Project string
	Params  any
	Result  any // a pointer to what Method gives; of no meaning where Err is not nil
	Err     error
	Kept    bool // the answer was kept from an earlier time: all that follows is zero

	Attempts int                         // more than one where it was no fault of this call that the process ended
	Time     time.Duration               // of the last attempt, host functions with it
	Memory   int64                       // linear memory of its largest instance, in bytes
	Files    int                         // opened
	Read     int64                       // bytes of files
	Trace    trace.Trace                 // of the workspace, all attempts
	Wrote    map[string]int              // bytes, by path
	Calls    map[string]account.Function // of the host, by name
}

// Unknown are the calls of functions that there are not, whatever they are called.
const Unknown = "unknown"

// Started is a process that is ready.
type Started struct {
	Time    time.Duration // until it was ready, without Compile
	Compile time.Duration // of the module; 0 = that had been done
}

// ask asks a plugin, decodes what it gave into result and tells who watches.
func (p *Plugin) ask(ctx context.Context, q question, result any) (answer, error) {
	ctx, done := p.watched(ctx, Asked{Method: q.method, Project: q.project, Params: q.params, Result: result})
	a, err := p.find(ctx, q, result)
	done(err)
	return a, err
}

// look has a tool look at files and tells who watches.
func (p *Plugin) look(ctx context.Context, method string, params abi.LintParams) (said []abi.Diagnostic, kept int, err error) {
	var r abi.LintResult
	ctx, done := p.watched(ctx, Asked{Method: method, Project: params.Project, Params: params, Result: &r})
	said, kept, err = p.lookAt(ctx, method, params)
	r.Diagnostics = said
	done(err)
	return said, kept, err
}

// watched is a context that what is asked is seen in. done tells who watches how it
// went: what nothing had to be attempted for was kept.
func (p *Plugin) watched(ctx context.Context, a Asked) (_ context.Context, done func(error)) {
	if p.config.Watch.Asked == nil {
		return ctx, func(error) {}
	}
	s := &sight{watch: p.config.Watch, asked: a}
	return context.WithValue(ctx, sightKey{}, s), func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked.Err, s.asked.Kept = err, err == nil && s.asked.Attempts == 0
		if !s.began.IsZero() {
			s.asked.Time = time.Since(s.began)
		}
		p.config.Watch.Asked(&s.asked)
	}
}

// sight is what is seen of a call while it goes on. Why it travels in the context: it
// belongs to the call, and what is seen of it is seen where only contexts come by.
// All methods work on nil, the sight of whom nobody watches.
type sight struct {
	watch Watch

	mu    sync.Mutex // guards what follows
	asked Asked
	began time.Time // of the last attempt
}

type sightKey struct{}

// seen is the sight of the call that a context belongs to.
func seen(ctx context.Context) *sight {
	s, _ := ctx.Value(sightKey{}).(*sight)
	return s
}

// attempt begins when the process is there.
func (s *sight) attempt() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.Attempts++
	s.began = time.Now()
}

// used notes what an instance has needed more than it had before.
func (s *sight) used(before, now sandbox.Usage) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.Memory = max(s.asked.Memory, now.Memory)
	s.asked.Files += now.Files - before.Files
	s.asked.Read += now.Read - before.Read
}

// told notes what an instance asked of the workspace, and what it wrote.
func (s *sight) told(asked trace.Trace, files map[string][]byte) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked.Trace = trace.Union(s.asked.Trace, asked)
	for name, text := range files {
		if s.asked.Wrote == nil {
			s.asked.Wrote = map[string]int{}
		}
		s.asked.Wrote[name] = len(text)
	}
}

// called notes a call of a host function. Why numbers alone: a plugin may call a
// million times.
func called(ctx context.Context, c rpc.Called) {
	s := seen(ctx)
	if s == nil {
		return
	}
	if s.watch.Called != nil {
		s.watch.Called(&s.asked, c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := c.Method
	if c.Err != nil && c.Err.Code == abi.CodeMethodNotFound {
		name = Unknown
	}
	if s.asked.Calls == nil {
		s.asked.Calls = map[string]account.Function{}
	}
	all := s.asked.Calls[name]
	all.Calls++
	all.Time += c.Time
	if c.Denied() {
		all.Denied++
	}
	s.asked.Calls[name] = all
}

// start starts the plugin's process and tells who watches.
func (p *Plugin) start(ctx context.Context) (*sandbox.Child, error) {
	config, tell := p.config.Process, p.config.Process.Progress
	config.Peak = p.config.Watch.Peak
	var compiling, compiled time.Time
	config.Progress = func(progress sandbox.Progress) {
		switch progress.Stage {
		case sandbox.StageCheck:
			compiling = time.Now()
		case sandbox.StageKeep:
			compiled = time.Now()
		}
		if tell != nil {
			tell(progress)
		}
	}
	began := time.Now()
	child, err := sandbox.Start(ctx, config)
	if err == nil && p.config.Watch.Started != nil {
		compile := compiled.Sub(compiling)
		p.config.Watch.Started(Started{Time: time.Since(began) - compile, Compile: compile})
	}
	return child, err
}
