package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// rooms are the containers that plugins have processes run in: those of `wr exec`,
// which stay for the next command. No engine is touched before the first process.
type rooms struct {
	*app
	ws     *workspace.Workspace
	engine *lazy
	turn   sync.Mutex // one image at a time: each draws its progress

	mu    sync.Mutex // guards known
	known map[string]*room
}

func (a *app) rooms(ws *workspace.Workspace) *rooms {
	return &rooms{app: a, ws: ws, engine: &lazy{connect: a.connect}, known: map[string]*room{}}
}

// Close ends the use of the engine. Containers stay, as those of `wr exec` do.
func (r *rooms) Close() error { return r.engine.Close() }

// room is the container of one project.
type room struct {
	mu      sync.Mutex // guards what follows
	settled bool
	err     error
	entered entered
	engine  Engine
}

// of is the room of a project.
func (r *rooms) of(project string) *room {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[project] == nil {
		r.known[project] = &room{}
	}
	return r.known[project]
}

// ready makes what the container of a project needs, its image before all, once:
// what could not be made is not tried again.
func (r *rooms) ready(ctx context.Context, project string) error {
	one := r.of(project)
	one.mu.Lock()
	defer one.mu.Unlock()
	if one.settled {
		return one.err
	}
	err := r.make(ctx, project, one)
	if ctx.Err() != nil {
		return err // the next one may have more time
	}
	one.settled, one.err = true, err
	return err
}

func (r *rooms) make(ctx context.Context, project string, one *room) error {
	r.turn.Lock()
	defer r.turn.Unlock()
	all := r.ws.Containers()
	at := slices.IndexFunc(all, func(p workspace.Project) bool { return p.Path == project })
	if at < 0 {
		return fmt.Errorf("no project of this workspace is at %s", project)
	}
	p, err := usable(all[at])
	if err != nil {
		return err
	}
	caller, err := r.caller(r.ws)
	if err != nil {
		return err
	}
	o, err := r.openWith(ctx, r.engine, r.ws, choice{projects: []workspace.Project{p}})
	if err != nil {
		return err
	}
	selected, err := r.selectMaking(ctx, o)
	if err != nil {
		return err
	}
	e, err := r.settle(ctx, r.ws, selected[0], entry{timed: true}, caller)
	if err != nil {
		return err
	}
	// Why: an agent and ports are for whoever types a command, not for plugins.
	e.Agent, e.Process.Ports = false, nil
	one.entered, one.engine = e, o.engine
	return r.app.ready(ctx, o.engine, e)
}

// exec runs a process in the container of a project, which is ready.
func (r *rooms) exec(ctx context.Context, p abi.ExecParams) (abi.ExecResult, error) {
	if err := r.ready(ctx, p.Project); err != nil {
		return abi.ExecResult{}, err
	}
	one := r.of(p.Project)
	process := one.entered.Process
	process.Args, process.Dir = p.Argv, plan.InContainer(one.entered.Project)
	if p.Cwd != "" {
		process.Dir = path.Join(spec.Workspace, p.Cwd)
	}
	stdin, err := input(p.Stdin)
	if err != nil {
		return abi.ExecResult{}, err
	}
	defer stdin.Close()
	var streams [2]*stream
	for i := range streams {
		if streams[i], err = newStream(); err != nil {
			return abi.ExecResult{}, err
		}
		defer streams[i].end()
	}
	running, stop := within(ctx, one.entered.Timeout)
	defer stop()
	exit, err := one.engine.Run(running, one.entered.Container, process, spec.Stdio{In: stdin, Out: streams[0].to, Err: streams[1].to})
	out, errs := streams[0].end(), streams[1].end()
	switch {
	case err != nil:
		return abi.ExecResult{}, err
	case exit.OOMKilled:
		f := fault.Of(spec.OutOfMemory(one.entered.Container))
		return abi.ExecResult{}, &abi.Error{Code: abi.CodeLimit, Message: p.Argv[0] + ": " + f.Message}
	}
	return abi.ExecResult{Exit: exit.Code, Stdout: out.text, Stderr: errs.text, Truncated: out.cut || errs.cut}, nil
}

// input is a file that holds text to be read, and is gone when it is closed.
func input(text string) (*os.File, error) {
	if text == "" {
		return os.Open(os.DevNull)
	}
	f, err := os.CreateTemp("", "wr-exec-")
	if err != nil {
		return nil, err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, os.Remove(f.Name())); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// stream is what a process prints, as far as it can be told. Why not a file: nobody
// says how much that is.
type stream struct {
	to   *os.File // the process's end
	from *os.File
	read chan struct{} // closed when printed is complete
	once sync.Once

	printed printed
}

// printed is what a stream had.
type printed struct {
	text string
	cut  bool // there was more
}

func newStream() (*stream, error) {
	from, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s := &stream{to: to, from: from, read: make(chan struct{})}
	go s.drain()
	return s, nil
}

// drain reads to the end, so that the process never waits.
func (s *stream) drain() {
	defer close(s.read)
	text, _ := io.ReadAll(io.LimitReader(s.from, call.MaxStream))
	more, _ := io.Copy(io.Discard, s.from)
	s.printed = printed{string(text), more > 0}
}

// leftBehind is how long a stream is read after its process has ended: what it left
// running may hold it open for ever.
const leftBehind = time.Second

// end is what was printed by a process that has ended.
func (s *stream) end() printed {
	s.once.Do(func() {
		_ = s.to.Close()
		_ = s.from.SetReadDeadline(time.Now().Add(leftBehind))
		<-s.read
		_ = s.from.Close()
	})
	return s.printed
}
