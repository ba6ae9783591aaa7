package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// process is a child as its parent sees it.
type process struct {
	control *wire.Conn
	cmd     *exec.Cmd
	log     tail          // what the child itself said, which is only said before a crash
	peak    func(int64)   // of Config
	gone    chan struct{} // closed when the process is no more, and log and state are complete

	mu     sync.Mutex // guards killed
	killed error      // why kill was called first
}

// spawn starts a child, which waits for its hello.
func spawn(program string) (*process, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, fmt.Errorf("control channel: %w", err)
	}
	defer theirs.Close()
	control, err := wire.FromFile(ours)
	if err != nil {
		return nil, err
	}
	if program == "" {
		program = self()
	}
	cmd := exec.Command(program, command[:]...) //nolint:noctx // ended by kill, for more reasons than a context has
	cmd.Env, cmd.Dir, cmd.ExtraFiles, cmd.SysProcAttr = []string{}, "/", []*os.File{theirs}, attributes()
	p := &process{control: control, cmd: cmd, gone: make(chan struct{})}
	cmd.Stderr = &p.log
	started := make(chan error)
	go p.live(started)
	if err := <-started; err != nil {
		_ = control.Close()
		return nil, fmt.Errorf("start a process for the plugin: %w", err)
	}
	return p, nil
}

// live starts the process and waits for its end.
func (p *process) live(started chan<- error) {
	// Why: the child is told of the end of the thread that started it, as if it
	// were that of the process. So this one stays.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		_ = p.cmd.Wait() // the state says it all
	}
	close(p.gone)
}

func socketpair() (ours, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control"), nil
}

// kill ends the child at once, whatever it is doing. why is what end says then;
// only the first counts.
func (p *process) kill(why error) {
	p.mu.Lock()
	if p.killed == nil {
		p.killed = why
	}
	p.mu.Unlock()
	if p.peak != nil {
		if bytes := residentPeak(p.cmd.Process.Pid); bytes > 0 {
			p.peak(bytes)
		}
	}
	_ = p.cmd.Process.Kill() // it may have ended
}

// end waits until the child is gone and says why it is.
func (p *process) end(name string) error {
	<-p.gone
	_ = p.control.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.killed != nil {
		return p.killed
	}
	f := &fault.Error{
		Code: CodeCrashed, Message: fmt.Sprintf("the process of plugin %s ended: %s", name, p.cmd.ProcessState),
		Next: "run it again; if it happens again, report it to whoever makes the plugin", Details: string(p.log.kept),
	}
	if outOfMemory(p.log.kept) {
		f.Code, f.Message = CodeMemory, fmt.Sprintf("plugin %s needs more memory than its process may have", name)
		f.Next = "raise limits.memory of the plugin in wr.lock, if you trust it with that"
		f.Details = "" // where the process was tells nobody what the plugin did
	}
	return f
}

// channelError is that the control channel broke, which is only the shadow of
// what ended the child.
type channelError struct{ error }

// failed ends a child that did not get ready for err, and says why it did not.
func (p *process) failed(name string, err error) error {
	if _, ok := errors.AsType[*channelError](err); !ok {
		p.kill(err)
	}
	_ = p.control.Close()
	return p.end(name)
}

func (p *process) send(message any, files ...*os.File) error {
	if err := p.control.Send(message, files...); err != nil {
		return &channelError{err}
	}
	return nil
}

// ready waits until the child is. What it says on the way goes to progress.
func (p *process) ready(progress func(Progress)) (confine.Facts, error) {
	for {
		var r report
		received, err := p.control.Receive(&r)
		wire.CloseAll(received)
		switch {
		case err != nil:
			return confine.Facts{}, &channelError{err}
		case r.Fault != nil:
			return confine.Facts{}, r.Fault
		case r.Progress != nil && progress != nil:
			progress(*r.Progress)
		case r.Ready != nil && r.Ready.Version != protocol:
			return confine.Facts{}, &fault.Error{Code: CodeProtocol, Message: "wr was replaced while it ran", Next: "run it again"}
		case r.Ready != nil:
			return r.Ready.Facts, nil
		}
	}
}
