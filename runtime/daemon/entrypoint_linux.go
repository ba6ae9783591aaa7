package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// entrypointTime bounds how long an ENTRYPOINT may take to run its command.
const entrypointTime = time.Minute

// lastWords is how long after an ENTRYPOINT has ended its command may still
// tell, and how long it may take to end after its command.
const lastWords = time.Second

// errEntrypointSlow is why the wait for an ENTRYPOINT ends.
var errEntrypointSlow = fmt.Errorf("it did not run its command within %v", entrypointTime)

// entrypoint runs the image's ENTRYPOINT in a new container, as the
// container's user, and returns the environment in which it ran the command
// that it was given. What it started besides stays.
func (s *server) entrypoint(ctx context.Context, made *container.Container) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, entrypointTime, errEntrypointSlow)
	defer cancel()
	output, err := s.containers.EntrypointLog(made.ID)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	defer context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Unix(1, 0)) })()
	session, err := s.startEntrypoint(ctx, made, spec.Stdio{In: w, Out: output, Err: output})
	_ = w.Close()
	if err != nil {
		return nil, entrypointFault(made, err, output)
	}
	defer session.Close() // which ends nothing
	ended := make(chan spec.Exit, 1)
	go func() {
		exit, _ := session.Wait(ctx)
		ended <- exit
		_ = r.SetReadDeadline(time.Now().Add(lastWords))
	}()
	env, err := agent.ReadEnvironment(r)
	switch cause := context.Cause(ctx); {
	case err == nil:
		return env, nil
	case errors.Is(cause, errEntrypointSlow):
		return nil, entrypointFault(made, cause, output)
	case cause != nil:
		return nil, cause
	default:
		err = fmt.Errorf("it ended with %d and did not run its command", (<-ended).Code)
		return nil, entrypointFault(made, err, output)
	}
}

// startEntrypoint starts it with a command that tells its environment.
func (s *server) startEntrypoint(ctx context.Context, made *container.Container, stdio spec.Stdio) (*agent.Session, error) {
	f, err := s.containers.Connect(ctx, made)
	if err != nil {
		return nil, err
	}
	conn, err := wire.FromFile(f)
	if err != nil {
		return nil, err
	}
	who := made.Identity
	return agent.Start(conn, agent.Command{
		Args: slices.Concat(made.Entrypoint, []string{spec.Agent, agent.TellEnvironment}),
		Dir:  who.Dir, UID: who.UID, GID: who.GID, Groups: who.Groups, Leave: true,
	}, stdio)
}

// leftProcesses reports whether an ENTRYPOINT that has run its command left
// processes, or does not end itself.
func (s *server) leftProcesses(ctx context.Context, made *container.Container) (bool, error) {
	ending, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	running, err := s.ask(ending, made, agent.Query{Left: true})
	if ending.Err() != nil && ctx.Err() == nil {
		return true, nil
	}
	return running.Left > 0, err
}

// maxShown bounds what is shown of an ENTRYPOINT's output, in bytes.
const maxShown = 4 << 10

// entrypointFault is an ENTRYPOINT that prepared nothing.
func entrypointFault(made *container.Container, why error, output *os.File) error {
	shown := make([]byte, maxShown)
	n, _ := output.ReadAt(shown, 0)
	return &fault.Error{
		Code:    "image.entrypoint",
		Message: fmt.Sprintf("the ENTRYPOINT %q of %s prepares no command: %v", made.Entrypoint, made.Image, why),
		Next:    `let it end with exec "$@", or set [image] entrypoint = "off" in the project's wr.toml`,
		Details: strings.TrimSpace(strings.ToValidUTF8(string(shown[:n]), "\uFFFD")), Err: why,
	}
}
