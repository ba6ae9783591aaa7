package cli

import (
	"context"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// shellCmd is `wr shell [PROJECT]`.
type shellCmd struct {
	Project string `arg:"" predictor:"container" optional:"" help:"The project, or an entry of [images]; default: the nearest project above."`
	Ports
	Cmd   string `placeholder:"STRING" help:"Let the shell run STRING and end; needs no terminal."`
	Fresh bool   `help:"In a container that is used for nothing else."`
	lastFlag
	Root bool `help:"Be root inside, whatever the image says."`
	limitFlags
}

// Help is the long form.
func (shellCmd) Help() string {
	return "The shell is the user's own inside when /etc/passwd names one, else bash, else sh. It reads its usual rc files and then shows project and stage in its prompt. bash and zsh keep a history for each project, which outlives the container. Language and terminal type are yours, as far as the image knows them. With -- CMD [ARG...] the terminal gets that command instead. wr's own failures exit with 125."
}

// Prepare finds out where the shell runs.
func (c *shellCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	terminal := interactive(a.In) && interactive(a.Out)
	switch {
	case c.Cmd != "" && len(a.rest) > 0:
		return deed{}, &fault.Error{Code: "shell.two_commands", Class: fault.Usage, Message: "a command is given by --cmd and another one after --", Next: "wr shell [PROJECT] --cmd STRING"}
	case c.Cmd == "" && !terminal:
		return deed{}, &fault.Error{Code: "shell.no_terminal", Class: fault.Usage, Message: "stdin and stdout are not a terminal", Next: "wr exec [PROJECT] -- COMMAND [ARG...], or wr shell [PROJECT] --cmd STRING"}
	}
	ports, err := c.ports()
	if err != nil {
		return deed{}, err
	}
	limits, err := c.limits()
	if err != nil {
		return deed{}, err
	}
	in := entry{
		project: c.Project, args: c.command(a.rest), terminal: terminal, shell: true, fresh: c.Fresh, useLast: c.UseLast,
		ports: ports, limits: limits, timed: c.Timeout != nil,
	}
	if c.Root {
		in.user = "0:0"
	}
	return a.enter(ctx, in)
}

// command is what starts inside.
func (c *shellCmd) command(rest []string) []string {
	switch {
	case len(rest) > 0:
		return rest
	case c.Cmd != "":
		return []string{"/bin/sh", startShell, c.Cmd}
	default:
		return []string{"/bin/sh", startShell}
	}
}
