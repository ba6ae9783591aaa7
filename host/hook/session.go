package hook

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/vfs"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// session is an instance of a plugin that has been greeted.
type session struct {
	child    *sandbox.Child
	instance *sandbox.Instance
	rpc      *rpc.Session
	before   trace.Trace // what it asked of the workspace while it was greeted

	mu      sync.Mutex    // guards what follows
	end     func()        // kills the process, for the reason that what is going on has
	sight   *sight        // of what is going on
	counted sandbox.Usage // what the sights so far have been told
}

// enter waits until one more call may run. Why: a session that is idle keeps its
// instance, so who waited for one of those would wait for ever.
func (p *Plugin) enter(ctx context.Context) (leave func(), err error) {
	select {
	case p.turns <- struct{}{}:
		return func() { <-p.turns }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// acquire returns a session that nobody else uses.
func (p *Plugin) acquire(ctx context.Context) (*session, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return s, nil
	}
	p.mu.Unlock()
	child, err := p.alive(ctx)
	if err != nil {
		return nil, err
	}
	return p.begin(ctx, child)
}

// begin starts an instance and greets it.
func (p *Plugin) begin(ctx context.Context, child *sandbox.Child) (*session, error) {
	// Why without the end of ctx: that kills the process at once, and with it calls
	// that others wait for. A session ends what it asks by itself.
	instance, err := child.Instance(context.WithoutCancel(ctx), sandbox.Command{Args: []string{p.Name()}, Log: p.log()})
	if err != nil {
		p.bury(child)
		return nil, err
	}
	s := &session{child: child, instance: instance}
	s.expect(ctx)
	s.rpc, err = rpc.Open(ctx, rpc.Instance{Stdin: instance.Stdin, Stdout: instance.Stdout, Kill: s.kill}, p.hello(), p.config.Listener)
	if err != nil {
		return nil, p.broken(s, err)
	}
	notes, err := s.notes()
	if err != nil {
		return nil, p.broken(s, err)
	}
	s.before = notes.Trace
	return s, nil
}

// hello is how the plugin is greeted.
func (p *Plugin) hello() abi.Initialize {
	limits := p.config.Process.Limits
	return abi.Initialize{
		Protocols: []string{abi.Version},
		Host:      p.config.Host,
		Grants:    p.config.Grants.Texts(),
		Config:    p.config.Table,
		Limits: abi.Limits{
			Memory: limits.Memory, Call: p.config.Time.Milliseconds(), Line: abi.MaxLine,
			Output: p.config.View.Limits.Bytes, Pending: p.config.Pending,
		},
	}
}

// expect has a kill say why ctx ended, if it has.
func (s *session) expect(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sight = seen(ctx)
	s.end = func() {
		ended, end := context.WithCancel(ctx)
		end()
		s.instance.Guard(ended)
	}
}

// kill ends the process that the instance runs in.
func (s *session) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
}

// notes are what the instance did with its files since it was asked last.
func (s *session) notes() (vfs.Notes, error) {
	s.count()
	return notesOf(s.instance, s.sight)
}

// notesOf are what an instance did with its files since it was asked last, of which
// the sight is told.
func notesOf(i *sandbox.Instance, told *sight) (vfs.Notes, error) {
	all, err := i.Notes()
	if err != nil {
		return vfs.Notes{}, err
	}
	notes, err := vfs.ReadNotes(all, i.Take)
	told.told(notes.Trace, notes.Files)
	return notes, err
}

// count tells what is going on of all that the instance has needed for it.
func (s *session) count() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.instance.Usage()
	s.sight.used(s.counted, now)
	s.counted = now
}

// release keeps a session for later, where the plugin allows that.
func (p *Plugin) release(ctx context.Context, s *session) error {
	if !p.config.Manifest.Stateless {
		return p.end(ctx, s)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child == s.child {
		p.idle = append(p.idle, s)
		return nil
	}
	return s.instance.Close() // its process is gone
}

// end ends a session. One that does not take it was killed, with its process. What was
// asked is answered, whatever follows, but a plugin that breaks the protocol is not
// believed.
func (p *Plugin) end(ctx context.Context, s *session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	err := s.close(ctx)
	if err == nil {
		return nil
	}
	if _, lied := errors.AsType[*rpc.ViolationError](err); lied {
		return p.broken(s, err)
	}
	_ = s.instance.Close()
	p.bury(s.child)
	if p.config.Listener.Log != nil && !fault.HasCode(err, sandbox.CodeStopped) {
		p.config.Listener.Log(abi.Log{Level: "warn", Message: "it answered, and did not end as it should: " + err.Error()})
	}
	return nil
}

// close ends a session in good order. Of one that cannot be ended so, the instance
// is left for who says why.
func (s *session) close(ctx context.Context) error {
	s.expect(ctx)
	if err := s.rpc.Close(ctx); err != nil {
		return err
	}
	_, err := s.instance.Wait()
	return errors.Join(err, s.instance.Close())
}

// log is where a plugin's stderr goes.
func (p *Plugin) log() io.Writer {
	if p.config.Log == nil {
		return nil
	}
	return writer(p.config.Log)
}

type writer func(line []byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}
