package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/run"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// entry says what to run inside the container of a project or of an image.
type entry struct {
	project  string   // as typed; "" is the nearest
	args     []string // the command
	env      []string // KEY=VALUE
	user     string
	terminal bool
	ports    []spec.Port
	shell    bool // with the environment of a shell
	fresh    bool // in a container of its own
	useLast  bool // if the image is missing, from the newest one
	detached bool // it may outlive wr
	limits   plan.Limits
	timed    bool // it ends when its time is over

	// run does it once all is settled; nil is runIn.
	run func(context.Context, Engine, entered) error
}

// enter is the deed of making the project's image if needed, running the
// command in a container from it, and ending wr with the command's code.
func (a *app) enter(ctx context.Context, in entry) (deed, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return deed{}, err
	}
	p, err := a.container(ws, in.project)
	if err != nil {
		return deed{}, err
	}
	caller, err := a.caller(ws)
	if err != nil {
		return deed{}, err
	}
	o, err := a.openAll(ctx, ws, choice{projects: []workspace.Project{p}})
	if err != nil {
		return deed{}, err
	}
	o.useLast = in.useLast
	find := func(selected []plan.Selected) (entered, error) { return a.settle(ctx, ws, selected[0], in, caller) }
	return a.deedOn(ctx, o,
		func(selected []plan.Selected) error {
			e, err := find(selected)
			if err != nil {
				return err
			}
			return a.printJSON(e)
		},
		func(selected []plan.Selected) error {
			e, err := find(selected)
			if err != nil {
				return err
			}
			if in.run != nil {
				return in.run(ctx, o.engine, e)
			}
			return a.runIn(ctx, o.engine, e)
		},
	), nil
}

// entered is what an entry comes to.
type entered struct {
	Project   workspace.Project `json:"-"`
	Build     plan.Action       `json:"build"`
	Container spec.Container    `json:"container"`
	Process   spec.Process      `json:"process"`
	Agent     bool              `json:"sshAgent,omitempty"`          // the process gets the caller's
	Absent    []string          `json:"absentCredentials,omitempty"` // that the project asks for and the caller has not
	Timeout   time.Duration     `json:"timeout,omitempty"`           // of the process; 0 = as long as it takes

	ws *workspace.Workspace
}

// without are the kinds of rights that the project may have and e goes without.
func (e entered) without() []string {
	if e.Agent {
		return nil
	}
	return []string{config.SSHAgent}
}

// settle decides image, container and process of an entry into s.
func (a *app) settle(ctx context.Context, ws *workspace.Workspace, s plan.Selected, in entry, caller spec.Owner) (entered, error) {
	mine, err := a.personal(ctx, ws)
	if err != nil {
		return entered{}, err
	}
	build := plan.Builds(ws, []plan.Selected{s}, plan.Options{NoBuild: !a.mayBuild(ws)}).Actions[0]
	if build.Fault != nil {
		return entered{}, build.Fault
	}
	grant, problem := a.grant(ws, s.Project)
	if problem != nil {
		return entered{}, problem
	}
	options := plan.Options{HostEnv: a.hostEnv(s.Project), Caller: caller, Limits: in.limits}
	a.addPersonal(&options, mine)
	container := grant.In(plan.Container(ws, s.Project, build.Build.Ref, s.Config.Run.Network, options), true)
	if in.user != "" {
		container.User = in.user
	}
	if !in.fresh {
		container.Role = spec.RoleDev
	}
	if s.Config.Rights.SSHAgent { // for those without one too, or they would have another container
		container.Mounts = append(container.Mounts, a.agentMount(container))
	}
	container.Own = []spec.Mount{a.ownMount(container)}
	process := spec.Process{
		Args: in.args, Env: withPytest(container, in.env), Dir: a.workdir(s.Project), Terminal: in.terminal, Ports: in.ports, Detached: in.detached,
	}
	if !in.detached {
		process.Ports = a.withOwnPorts(in.ports, s.Project, mine)
	}
	if in.shell {
		process.Env = append(process.Env, a.shellEnv(container, promptName(ws, s.Project))...)
	}
	e := entered{ws: ws, Project: s.Project, Build: build, Container: container, Process: process, Absent: grant.Absent}
	e.Agent = s.Config.Rights.SSHAgent && !in.detached
	if in.timed {
		e.Timeout = time.Duration(options.LimitsOf(s.Project).Timeout)
	}
	return e, nil
}

// runIn makes the image, runs the process and ends wr with its code.
func (a *app) runIn(ctx context.Context, engine Engine, e entered) error {
	if err := a.ready(ctx, engine, e); err != nil {
		return err
	}
	if e.Agent {
		stop, err := a.withAgent(&e)
		if err != nil {
			return err
		}
		defer stop()
	}
	running, stop := within(context.WithoutCancel(ctx), e.Timeout)
	defer stop()
	result, err := a.attach(running, engine, e.Container, e.Process)
	if err != nil {
		return err
	}
	if result.OOMKilled {
		fmt.Fprint(a.Err, a.style(a.Err).Fault(spec.OutOfMemory(e.Container)))
	}
	if result.Suspect != nil {
		fmt.Fprint(a.Err, a.style(a.Err).Warning(result.Suspect))
	}
	return exit(result.Code)
}

// ready makes what must be there before the container: its image, and what it
// has of wr.
func (a *app) ready(ctx context.Context, engine Engine, e entered) error {
	if e.Project.Config.Rights.SSHAgent {
		if err := a.makeAgentFolder(e.Container); err != nil {
			return err
		}
	}
	if err := a.ensure(ctx, engine, e.Build); err != nil {
		return err
	}
	a.sayRights(e.Project, e.without()...)
	a.sayAbsent(e.Project, e.Absent)
	return a.makeOwn(e)
}

// ensure makes the image unless it is there. Progress goes to stderr, so that
// stdout stays the command's.
func (a *app) ensure(ctx context.Context, engine Engine, action plan.Action) error {
	var progress ui.Sink
	builder := run.Images{Builder: engine, Puller: engine, Emit: func(e event.Event) {
		if progress == nil && e.Type == event.BuildStarted {
			progress = a.drawing(a.Err)
		}
		if progress != nil {
			progress.Emit(e)
		}
	}}
	err := builder.Do(ctx, action)
	if progress != nil {
		err = firstError(err, progress.Close())
	}
	return err
}

// workdir is the container path of the directory wr was started in when that
// lies in p, else of p.
func (a *app) workdir(p workspace.Project) string {
	rel, err := filepath.Rel(p.Dir, a.dir)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return plan.InContainer(p)
	}
	return path.Join(plan.InContainer(p), filepath.ToSlash(rel))
}

// attach runs process with wr's own files and waits for its end. Signals are
// the command's: wr passes them on and lives as long as it does, so ctx must not
// end with them.
func (a *app) attach(ctx context.Context, engine Engine, c spec.Container, process spec.Process) (spec.Exit, error) {
	stdio := spec.Stdio{In: a.In, Out: a.Out, Err: a.Err}
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	stdio.Signals = signals
	if process.Terminal {
		restore, err := a.raw(&process, &stdio)
		if err != nil {
			return spec.Exit{}, err
		}
		defer restore()
		return engine.Run(ctx, c, process, stdio)
	}
	outside, err := keepTerminalsOutside(&stdio)
	if err != nil {
		return spec.Exit{}, err
	}
	result, err := engine.Run(ctx, c, process, stdio)
	lost := outside.finish()
	if err == nil && result.Code == 0 { // a command that failed has said so
		err = lost
	}
	return result, err
}

// raw hands the caller's terminal over to the proxy until restore is called.
func (a *app) raw(process *spec.Process, stdio *spec.Stdio) (restore func(), err error) {
	fd := int(a.In.Fd())
	state, err := term.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	process.Size = terminalSize(a.Out)
	for _, name := range []string{"TERM", "COLORTERM"} {
		if value := a.Getenv(name); value != "" {
			process.Env = append(process.Env, name+"="+value)
		}
	}
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	sizes, done := make(chan spec.Size), make(chan struct{})
	go func() {
		for {
			select {
			case <-resized:
			case <-done:
				return
			}
			select {
			case sizes <- terminalSize(a.Out):
			case <-done:
				return
			}
		}
	}()
	stdio.Resize = sizes
	return func() {
		signal.Stop(resized)
		close(done)
		_ = term.Restore(fd, state)
	}, nil
}

func terminalSize(f *os.File) spec.Size {
	columns, rows, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return spec.Size{Cols: 80, Rows: 24}
	}
	return spec.Size{Cols: uint16(columns), Rows: uint16(rows)}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
