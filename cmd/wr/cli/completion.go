package cli

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
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

// complete answers a shell that asks what could come next, and reports whether
// one did. Anybody else is not kept waiting.
func (a *app) complete(ctx context.Context, parser *kong.Kong) (asked bool, err error) {
	line := a.Getenv("COMP_LINE")
	if line == "" {
		return false, nil
	}
	words, last := completed(line, a.Getenv("COMP_POINT"))
	typed, err := kong.Trace(parser, words)
	if err != nil || slices.Contains(words, "--") { // what follows is another program's
		return true, err
	}
	a.Directory = a.directoryOf(typed)
	if err := a.prepare(); err != nil {
		return true, err
	}
	out := candidates{a.Out, broken(last, a.args)}
	if call := callOf(typed); len(call) > 0 {
		a.completeCall(ctx, out, call, last)
		return true, nil
	}
	return true, a.completeCommand(ctx, out, parser)
}

// directoryOf is where a line that is being typed has wr work.
func (a *app) directoryOf(typed *kong.Context) string {
	for _, flag := range typed.Model.Flags {
		if dir, ok := typed.FlagValue(flag).(string); ok && flag.Name == "directory" && dir != "" {
			return dir
		}
	}
	return a.Getenv("WR_DIRECTORY")
}

// completeCommand completes commands, their flags, and what these take.
func (a *app) completeCommand(ctx context.Context, out io.Writer, parser *kong.Kong) error {
	predict := func(names func(ws *workspace.Workspace) []string) complete.Predictor {
		return complete.PredictFunc(func(complete.Args) []string {
			ws, err := workspace.Load(ctx, a.dir)
			if err != nil {
				return nil
			}
			return names(ws)
		})
	}
	command, err := kongcompletion.Command(parser,
		kongcompletion.WithPredictor("container", predict(predictContainers)),
		kongcompletion.WithPredictor("project", predict(predictProjects)),
		kongcompletion.WithPredictor("plugin", predict(predictPlugins)),
		kongcompletion.WithPredictor("source", a.predictSources()),
		kongcompletion.WithPredictor("known", complete.PredictOr(predict(predictPlugins), a.predictSources())),
		kongcompletion.WithPredictor("run", predict(predictRuns)),
		kongcompletion.WithPredictor("linter", predict(predictLinters)),
		kongcompletion.WithPredictor("suite", predict(predictSuites)),
		kongcompletion.WithPredictor("task", predict(predictTasks)))
	if err != nil {
		return &fault.Error{Code: "cli.grammar", Class: fault.Bug, Message: err.Error(), Err: err}
	}
	addDefaults(&command, parser.Model.Node)
	asking := complete.New(parser.Model.Name, command)
	asking.Out = out
	asking.Complete()
	return nil
}

// addDefaults has a group of commands take what its default command takes, as
// in wr config --origin.
func addDefaults(command *complete.Command, group *kong.Node) {
	for _, node := range group.Children {
		if sub, ok := command.Sub[node.Name]; ok {
			addDefaults(&sub, node)
			command.Sub[node.Name] = sub
		}
	}
	if node := group.DefaultCmd; node != nil && node.Tag.Default == "withargs" {
		command.Flags, command.Args = command.Sub[node.Name].GlobalFlags, command.Sub[node.Name].Args
	}
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

func predictProjects(ws *workspace.Workspace) []string { return paths(ws.Projects) }

func predictContainers(ws *workspace.Workspace) []string { return paths(ws.Containers()) }

// paths are the paths of projects, and the names of entries of [images].
func paths(projects []workspace.Project) []string {
	all := make([]string, len(projects))
	for i, p := range projects {
		all[i] = p.Path
	}
	return all
}
