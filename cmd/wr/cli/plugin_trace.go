package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginTraceCmd is `wr plugin trace PLUGIN COMMAND [ARG...]`.
type pluginTraceCmd struct {
	Output  string   `short:"o" env:"-" placeholder:"FILE" help:"Write the trace to FILE; what the command prints stays where it is."`
	Name    string   `arg:"" name:"plugin" predictor:"plugin" help:"The plugin."`
	Command []string `arg:"" name:"command" passthrough:"partial" help:"A command of wr with its own flags, as in wr plugin trace shfmt lint --fix infra."`
}

// Help is the long form.
func (pluginTraceCmd) Help() string {
	return "Runs another command of wr and shows everything that it asks of the plugin, as strace does for system calls: each call with its params, answer and time, each question about files and its answer (read, stat, list, readlink; missing is what the plugin does not get to see, too), and each function of the host with what was granted or denied. Answers that are kept from earlier are not used, so the plugin really works. Flags before the command are those of the trace, flags behind it its own.\n\nThe trace goes to stdout, with --json a line for each call; what the command itself prints goes to stderr. Values of secrets are hidden, contents of files and of requests are told by their size. The exit code is the command's own."
}

// Prepare finds the plugin.
func (c *pluginTraceCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return deed{}, err
	}
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return deed{}, err
	}
	if _, err := pins.Find(c.Name); err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("trace", c.Name, "in", "wr", strings.Join(c.Command, " ")),
		do:   func() error { return c.trace(ctx, a) },
	}, nil
}

// trace runs the command as if it had been typed.
func (c *pluginTraceCmd) trace(ctx context.Context, a *app) error {
	inner := &app{Process: a.Process, log: a.log}
	var out io.Writer = a.Out
	if c.Output == "" {
		inner.Out = a.Err // the trace is the result
	} else {
		if !filepath.IsAbs(c.Output) {
			c.Output = filepath.Join(a.dir, c.Output)
		}
		f, err := os.Create(c.Output)
		if err != nil {
			return &fault.Error{Code: "plugin.no_trace", Class: fault.Usage, Message: err.Error(), Err: err, Next: "name a file that you may write"}
		}
		defer f.Close()
		out = f
	}
	args := append([]string{"-C", a.dir}, c.Command...)
	if a.rest != nil {
		args = append(append(args, "--"), a.rest...)
	}
	inner.args = args
	inner.tracing = &tracing{plugin: c.Name, out: out, json: a.JSON, lookupEnv: a.LookupEnv}
	code := inner.end(ctx, inner.run(ctx, args))
	if !inner.tracing.any {
		a.report(&fault.Error{
			Code: "plugin.not_asked", Message: "plugin " + c.Name + " was asked nothing by wr " + strings.Join(c.Command, " "),
			Next: "name files that it looks at, or another command",
		})
	}
	if inner.tracing.err != nil {
		return fmt.Errorf("write the trace: %w", inner.tracing.err)
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}
