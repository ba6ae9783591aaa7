package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

const (
	// graceTime is how long a process has after SIGINT when its run is cancelled.
	graceTime = time.Second

	// removeTime bounds the wait for the engine's word that a container is gone.
	removeTime = 30 * time.Second
)

// Run implements spec.Runner. It survives the end of the engine as long as
// the container does.
func (c *Client) Run(ctx context.Context, container spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	if err := checkText(container); err != nil {
		return spec.Exit{}, err
	}
	var raw []string
	container.Env, raw = splitEnv(container.Env)
	p.Env = slices.Concat(raw, p.Env)
	wanted := request{Operation: opRun, Container: &container, Detached: p.Detached}
	if p.Detached {
		wanted.Ports, p.Ports = p.Ports, nil // the engine's to publish, since they outlive this process
	}
	ports, err := listen(ctx, p.Ports)
	if err != nil {
		return spec.Exit{}, err
	}
	defer ports.close()
	r, err := c.create(ctx, wanted)
	if err != nil {
		return spec.Exit{}, err
	}
	defer r.conn.Close()
	ports.serve(r.dial, p.Ports)
	exit, err := r.process(ctx, p, stdio)
	killed, agentGone := exit.Code == 128+int(syscall.SIGKILL), fault.HasCode(err, agent.Gone)
	gone := r.remove(killed || agentGone || exit.Code != 0)
	switch {
	case ctx.Err() != nil:
		return spec.Exit{}, context.Cause(ctx)
	case gone.OOMKilled && (agentGone || killed && !gone.Shared):
		// Where the agent itself was killed there is no exit but this one.
		exit.OOMKilled, exit.Signal, exit.Code = true, int(syscall.SIGKILL), 128+int(syscall.SIGKILL)
		return exit, nil
	case err != nil && gone.Stopped:
		return spec.Exit{}, &fault.Error{
			Code: "engine.stopped", Message: "the engine was stopped while the command ran",
			Next: "run the command again", Err: err,
		}
	}
	if exit.Code != 0 {
		exit.Suspect = cmp.Or(gone.suspect(container), foreign(container, r.Identity))
	}
	return exit, err
}

// splitEnv takes out the variables that are not text. JSON, in which a
// container is described here and to the OCI runtime, would change them; the
// agent takes any bytes. A variable set again later goes as that one goes, so
// that the last value still counts.
func splitEnv(env []string) (text, raw []string) {
	last := make(map[string]string)
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		last[name] = kv
	}
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if utf8.ValidString(last[name]) && utf8.ValidString(kv) {
			text = append(text, kv)
		} else if kv == last[name] {
			raw = append(raw, kv)
		}
	}
	return text, raw
}

// checkText refuses what would become another path or user on its way, by name.
func checkText(c spec.Container) error {
	all := []string{c.Image, c.Hostname, c.User}
	for _, m := range c.Mounts {
		all = append(all, m.Source, m.Target)
	}
	for _, text := range all {
		if !utf8.ValidString(text) {
			return &fault.Error{
				Code: "container.not_utf8", Class: fault.Usage,
				Message: fmt.Sprintf("%q is not UTF-8, so no container can be made with it", text),
				Next:    "rename the directory, or change the name in wr.toml",
			}
		}
	}
	return nil
}

// run is one container from the side of its client.
type run struct {
	client *Client
	conn   *wire.Conn // its life
	agent  *wire.Conn
	left   int // process id of the command that runs on
	created
}

// create asks for a container and waits until its agent answers.
func (c *Client) create(ctx context.Context, wanted request) (*run, error) {
	conn, err := c.open(wanted)
	if err != nil {
		return nil, err
	}
	r, err := awaitCreated(ctx, conn)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	r.client = c
	return r, nil
}

// awaitCreated waits for the container. When ctx ends first, it waits for the
// engine's word that nothing is left of it.
func awaitCreated(ctx context.Context, conn *wire.Conn) (*run, error) {
	stop := context.AfterFunc(ctx, func() {
		_ = conn.Send(end{})
		_ = conn.Unix().SetReadDeadline(time.Now().Add(removeTime))
	})
	for {
		var answer reply
		files, err := conn.Receive(&answer)
		switch {
		case err == nil && answer.Created != nil && len(files) == 1 && stop():
			agentConn, err := wire.FromFile(files[0])
			if err != nil {
				return nil, err
			}
			return &run{conn: conn, agent: agentConn, created: *answer.Created}, nil
		case err == nil && answer.Created != nil:
			wire.CloseAll(files) // Too late: what follows is removed.
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			stop()
			return nil, lost(err)
		case answer.Fault != nil:
			stop()
			return nil, answer.Fault
		}
	}
}

// process runs p to its end. When ctx ends, p gets SIGINT and a moment, unless it
// is to be left.
func (r *run) process(ctx context.Context, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	command := r.command(p)
	if len(command.Args) == 0 {
		return spec.Exit{}, noCommand()
	}
	session, err := agent.Start(r.agent, command, stdio)
	if err != nil {
		return spec.Exit{}, err
	}
	exit, err := session.Wait(ctx)
	if ctx.Err() == nil {
		return exit, err
	}
	if p.Detached && errors.Is(context.Cause(ctx), spec.ErrLeft) {
		r.left = session.PID()
		return spec.Exit{}, session.Close()
	}
	_ = session.Signal(os.Interrupt)
	err = waitBriefly(ctx, session)
	if p.Detached && err != nil { // closing the session would let it run on
		_ = session.Signal(syscall.SIGKILL)
		err = waitBriefly(ctx, session)
	}
	_ = session.Close()
	return spec.Exit{}, err
}

// waitBriefly waits for the end of a process that was told to end.
func waitBriefly(ctx context.Context, session *agent.Session) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	_, err := session.Wait(grace)
	return err
}

// command is p as the agent is told it.
func (r *run) command(p spec.Process) agent.Command {
	var env []string
	for _, kv := range r.Env {
		env = append(env, string(kv))
	}
	env = append(env, p.Env...)
	if p.Terminal && !slices.ContainsFunc(env, func(kv string) bool { return strings.HasPrefix(kv, "TERM=") }) {
		env = append([]string{"TERM=xterm"}, env...)
	}
	dir := p.Dir
	if dir == "" {
		dir = r.Identity.Dir
	}
	args := p.Args
	if len(args) == 0 {
		args = r.Identity.Command
	}
	return agent.Command{
		Args: slices.Concat(r.Before, args), Env: env, Whole: len(r.Env) > 0, Detached: p.Detached, Dir: dir, Terminal: p.Terminal, Size: p.Size,
		UID: r.Identity.UID, GID: r.Identity.GID, Groups: r.Identity.Groups,
	}
}

// noCommand is an image that is to run what it does not have.
func noCommand() error {
	return &fault.Error{
		Code: "image.no_command", Message: "the image has no command of its own",
		Next: "write CMD into the Dockerfile, or name what to run",
	}
}

// remove has the container removed and waits until it is. An engine that
// ended meanwhile may have a successor; without one, the next to start removes
// what it finds.
func (r *run) remove(failed bool) removed {
	if gone, err := finish(r.conn, end{Failed: failed, Left: r.left}); err == nil {
		return gone
	}
	if r.Kept {
		return removed{}
	}
	conn, err := r.client.open(request{Operation: opRemove, ID: r.ID})
	if err != nil {
		return removed{}
	}
	defer conn.Close()
	gone, _ := awaitRemoved(conn)
	return gone
}

// suspect is the limit that struck while a process failed, or nil.
func (r removed) suspect(c spec.Container) *fault.Error {
	switch {
	case r.OOMKilled:
		return spec.OutOfMemory(c)
	case r.PidsRefused:
		return spec.OutOfPids(c.Pids)
	default:
		return nil
	}
}

// finish says that a run is over and waits for the engine's word. Whether the
// message arrives does not matter: an engine that stops has already removed the
// container and said so.
func finish(conn *wire.Conn, last end) (removed, error) {
	_ = conn.Send(last)
	return awaitRemoved(conn)
}

// awaitRemoved waits, within bounds, for the engine's word.
func awaitRemoved(conn *wire.Conn) (removed, error) {
	_ = conn.Unix().SetReadDeadline(time.Now().Add(removeTime))
	for {
		var answer reply
		files, err := conn.Receive(&answer)
		wire.CloseAll(files)
		switch {
		case err != nil:
			return removed{}, lost(err)
		case answer.Fault != nil:
			return removed{}, answer.Fault
		case answer.Removed != nil:
			return *answer.Removed, nil
		}
	}
}
