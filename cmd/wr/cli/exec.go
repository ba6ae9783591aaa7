package cli

import (
	"context"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// execCmd is `wr exec [PROJECT] -- CMD...`.
type execCmd struct {
	Project string   `arg:"" predictor:"container" optional:"" help:"The project, or an entry of [images]; default: the nearest project above."`
	Env     []string `short:"e" sep:"none" placeholder:"KEY=VALUE" help:"Set a variable for the command."`
	Fresh   bool     `help:"In a container that is used for nothing else."`
	lastFlag
	Ports
	User string `short:"u" placeholder:"USER" help:"Run as this user of the image, or uid[:gid]."`
	limitFlags
}

// Help is the long form.
func (execCmd) Help() string {
	return "Stdin, stdout, stderr, signals and the exit code are the command's own, so it works in a pipe. The working directory is the current one. The container is kept for the next command, with what was written in it, until its image, mounts, environment or limits change or it was not used for a while. wr's own failures exit with 125. A command that takes longer than its time limit gets SIGINT, a second later SIGKILL, and wr exits with 124."
}

// Prepare finds out where the command runs.
func (c *execCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if len(a.rest) == 0 {
		return deed{}, &fault.Error{Code: "exec.no_command", Class: fault.Usage, Message: "no command given after --", Next: "wr exec [PROJECT] -- COMMAND [ARG...]"}
	}
	for _, variable := range c.Env {
		if !strings.Contains(variable, "=") {
			return deed{}, &fault.Error{Code: "exec.bad_env", Class: fault.Usage, Message: "-e " + variable + " has no =", Next: "-e " + variable + "=VALUE"}
		}
	}
	ports, err := c.ports()
	if err != nil {
		return deed{}, err
	}
	limits, err := c.limits()
	if err != nil {
		return deed{}, err
	}
	return a.enter(ctx, entry{
		ports: ports, limits: limits, timed: true,
		project: c.Project, args: a.rest, env: c.Env, user: c.User, fresh: c.Fresh, useLast: c.UseLast,
		terminal: interactive(a.In) && interactive(a.Out),
	})
}
