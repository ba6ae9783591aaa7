package cli

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginTraceCmd is `wr plugin trace PLUGIN COMMAND [ARG...]`.
type pluginTraceCmd struct {
	Output string   `short:"o" type:"path" placeholder:"FILE" help:"Write the trace to FILE; what the command prints stays where it is."`
	Words  []string `arg:"" name:"word" predictor:"plugin" passthrough:"partial" help:"The plugin, and behind it a command of wr with its own flags, as in wr plugin trace shfmt lint --fix infra."`
}

// Help is the long form.
func (pluginTraceCmd) Help() string {
	return "Runs another command of wr and shows everything that it asks of the plugin, as strace does for system calls: each call with its params, answer and time, each question about files and its answer (read, stat, list, readlink; missing is what the plugin does not get to see, too), and each function of the host with what was granted or denied. Answers that are kept from earlier are not used, so the plugin really works. Flags of wr come before the plugin's name.\n\nThe trace goes to stdout, with --json a line for each call; what the command itself prints goes to stderr. Values of secrets are hidden, contents of files and of requests are told by their size. The exit code is the command's own."
}

// Prepare finds the plugin.
func (c *pluginTraceCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	name, command := c.Words[0], c.Words[1:]
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return deed{}, err
	}
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return deed{}, err
	}
	if _, err := pins.Find(name); err != nil {
		return deed{}, err
	}
	if len(command) == 0 {
		return deed{}, &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: "there is no command to trace " + name + " in", Next: "wr plugin trace " + name + " lint"}
	}
	return deed{
		show: a.would("trace", name, "in", "wr", strings.Join(command, " ")),
		do:   func() error { return c.trace(ctx, a, name, command) },
	}, nil
}

// trace runs the command as if it had been typed.
func (c *pluginTraceCmd) trace(ctx context.Context, a *app, name string, command []string) error {
	inner := &app{Process: a.Process, log: a.log}
	var out io.Writer = a.Out
	if c.Output == "" {
		inner.Out = a.Err // the trace is the result
	} else {
		f, err := os.Create(c.Output)
		if err != nil {
			return &fault.Error{Code: "plugin.no_trace", Class: fault.Usage, Message: err.Error(), Err: err, Next: "name a file that you may write"}
		}
		defer f.Close()
		out = f
	}
	args := append([]string{"-C", a.dir}, command...)
	if a.rest != nil {
		args = append(append(args, "--"), a.rest...)
	}
	inner.args = args
	inner.tracing = &tracing{plugin: name, out: out, json: a.JSON, lookupEnv: a.LookupEnv}
	code := inner.end(ctx, inner.run(ctx, args))
	if !inner.tracing.any {
		a.report(&fault.Error{
			Code: "plugin.not_asked", Message: "plugin " + name + " was asked nothing by wr " + strings.Join(command, " "),
			Next: "name files that it looks at, or another command",
		})
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}
