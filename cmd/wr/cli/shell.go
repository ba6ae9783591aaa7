package cli

import (
	"context"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// shellCmd is `wr shell [PROJECT]`.
type shellCmd struct {
	Project string `arg:"" predictor:"project" optional:"" help:"The project; default: the nearest one above."`
	Fresh   bool   `help:"In a container that is used for nothing else."`
	UseLast bool   `help:"If the image of the present inputs is neither here nor in the registry, use the newest one that is here and build none."`
	Root    bool   `help:"Be root inside, whatever the image says."`
}

// loginShell starts the best shell that the image has.
const loginShell = `if [ -x /bin/bash ]; then exec /bin/bash; else exec /bin/sh; fi`

// Prepare finds out where the shell runs.
func (c *shellCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if !interactive(a.In) || !interactive(a.Out) {
		return deed{}, &fault.Error{Code: "shell.no_terminal", Class: fault.Usage, Message: "stdin and stdout are not a terminal", Next: "wr exec [PROJECT] -- COMMAND [ARG...]"}
	}
	in := entry{project: c.Project, args: []string{"/bin/sh", "-c", loginShell}, terminal: true, fresh: c.Fresh, useLast: c.UseLast}
	if len(a.rest) > 0 {
		in.args = a.rest
	}
	if c.Root {
		in.user = "0:0"
	}
	return a.enter(ctx, in)
}
