package cli

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/wr-build/wr/host/workspace"
)

// completionCmd is `wr completion`.
type completionCmd struct{ kongcompletion.Completion }

// needsCompdef is what zsh must have before it can do what comes next.
const needsCompdef = "(( $+functions[compdef] )) || { autoload -U +X compinit && compinit }\n"

// Read prints what a shell has to be told.
func (c *completionCmd) Read(_ context.Context, a *app) error {
	var told bytes.Buffer
	a.parsed.Stdout = &told
	if err := c.Run(a.parsed); err != nil {
		return err
	}
	if c.Code && strings.Contains(told.String(), "bashcompinit") {
		_, _ = io.WriteString(a.Out, needsCompdef)
	}
	_, err := a.Out.Write(told.Bytes())
	return err
}

// complete answers a shell that asks what could come next, and ends wr then.
// Anybody else is not kept waiting.
func (a *app) complete(ctx context.Context, parser *kong.Kong) {
	line, asked := a.LookupEnv("COMP_LINE")
	if !asked {
		return
	}
	predict := func(names func(ws *workspace.Workspace) []string) complete.Predictor {
		return complete.PredictFunc(func(complete.Args) []string {
			ws, err := workspace.Load(ctx, ".")
			if err != nil {
				return nil
			}
			return names(ws)
		})
	}
	words, last := completed(line, a.Getenv("COMP_POINT"))
	out := candidates{a.Out, broken(last, a.args)}
	if a.completeCall(ctx, out, words, last) {
		parser.Exit(0)
		return
	}
	parser.Stdout = out
	kongcompletion.Register(parser,
		kongcompletion.WithPredictor("project", predict(predictProjects)),
		kongcompletion.WithPredictor("task", predict(predictTasks)))
}

// candidates writes what could come next, one a line and a call. A shell that
// has broken the word into parts wants the last part only.
type candidates struct {
	io.Writer
	before string // of the last part
}

func (c candidates) Write(line []byte) (int, error) {
	if _, err := c.Writer.Write(bytes.TrimPrefix(line, []byte(c.before))); err != nil {
		return 0, err
	}
	return len(line), nil
}

// broken is what of the word that is being typed the shell takes for complete.
// bash breaks words at : and =, and gives the part that it will replace as the
// second argument, after the command; zsh gives the whole word, fish nothing.
func broken(last string, args []string) string {
	if len(args) < 2 {
		return ""
	}
	before, ok := strings.CutSuffix(last, args[1])
	if !ok || !strings.HasSuffix(before, ":") && !strings.HasSuffix(before, "=") {
		return ""
	}
	return before
}

func predictProjects(ws *workspace.Workspace) []string {
	var names []string
	for _, p := range ws.Projects {
		names = append(names, p.Path)
	}
	return names
}
