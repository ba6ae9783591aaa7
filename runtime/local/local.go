// Package local runs processes on this machine as it is. It is for when wr itself
// runs in a project's container, which somebody else has started: there is
// nothing to make, and nobody who could.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// graceTime is how long a process has after SIGINT when its run is cancelled.
const graceTime = time.Second

// defaultPath is where commands are looked for when the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Runner implements spec.Runner without containers. Of a spec.Container it takes
// the environment, which goes over wr's own, and nothing else: paths are those of
// this machine, and user, network and limits are what wr itself has. Ports and
// detached processes are not for it.
//
// When a process has ended, what is left of its process group is killed. One that
// has left the group lives on, as anywhere.
type Runner struct{}

var _ spec.Runner = Runner{}

// Run implements spec.Runner.
func (Runner) Run(ctx context.Context, c spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	if ctx.Err() != nil {
		return spec.Exit{}, context.Cause(ctx)
	}
	if p.Detached || len(p.Ports) > 0 {
		return spec.Exit{}, &fault.Error{Code: "local.unsupported", Class: fault.Bug, Message: "a process on this machine has no ports of its own, and ends with wr"}
	}
	cmd, err := command(ctx, slices.Concat(os.Environ(), c.Env, p.Env), p)
	if err != nil {
		return spec.Exit{}, err
	}
	began := time.Now()
	end, err := start(cmd, p, stdio)
	if err != nil {
		return spec.Exit{}, notStarted(p.Args[0], err)
	}
	defer end()
	err = cmd.Wait()
	// The number of a group that has just ended goes to nobody else so soon.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	if ctx.Err() != nil {
		return spec.Exit{}, context.Cause(ctx)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return spec.Exit{}, fmt.Errorf("wait for %s: %w", p.Args[0], err)
	}
	return exitOf(cmd.ProcessState, time.Since(began)), nil
}

// start starts cmd, on a terminal of its own if p has one. What end does is due when it
// has ended.
func start(cmd *exec.Cmd, p spec.Process, stdio spec.Stdio) (end func(), err error) {
	if p.Terminal {
		return startOnTerminal(cmd, p.Size, stdio)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdio.In, stdio.Out, stdio.Err
	return func() {}, cmd.Start()
}

// command is p in a process group of its own, which gets SIGINT when ctx ends.
func command(ctx context.Context, env []string, p spec.Process) (*exec.Cmd, error) {
	file, err := lookUp(p.Args[0], p.Dir, env)
	if err != nil {
		return nil, notStarted(p.Args[0], err)
	}
	cmd := exec.CommandContext(ctx, file)
	cmd.Args, cmd.Env, cmd.Dir = p.Args, env, p.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = graceTime
	return cmd, nil
}

// lookUp finds the file of a command as a shell with env would in dir. Why not
// exec.LookPath alone: it knows wr's own PATH.
func lookUp(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		return exec.LookPath(under(dir, name))
	}
	err := exec.ErrNotFound
	for _, at := range filepath.SplitList(cmp.Or(value(env, "PATH"), defaultPath)) {
		file, problem := exec.LookPath(under(dir, filepath.Join(at, name)))
		if problem == nil {
			return file, nil
		}
		if errors.Is(problem, fs.ErrPermission) {
			err = problem
		}
	}
	return "", err
}

// under makes name absolute, seen from dir.
func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// value is what env has for name; the last one counts.
func value(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}

// notStarted is a command that could not be, with the codes that a container has.
func notStarted(name string, err error) error {
	f := &fault.Error{Code: "exec.failed", Message: fmt.Sprintf("start %s: %v", name, err), Err: err}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		f.Code = "exec.not_found"
	case errors.Is(err, fs.ErrPermission):
		f.Code = "exec.not_executable"
	}
	return f
}

// exitOf is how a process ended, its code as a shell would say it.
func exitOf(state *os.ProcessState, elapsed time.Duration) spec.Exit {
	status, ok := state.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return spec.Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal()), Elapsed: elapsed}
	}
	return spec.Exit{Code: state.ExitCode(), Elapsed: elapsed}
}
