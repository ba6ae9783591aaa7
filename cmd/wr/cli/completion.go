package cli

import (
	"context"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"github.com/wr-build/wr/host/workspace"
)

// completionCmd is `wr completion`.
type completionCmd struct{ kongcompletion.Completion }

// Read prints what a shell has to be told.
func (c *completionCmd) Read(_ context.Context, a *app) error { return c.Run(a.parsed) }

// complete answers a shell that asks what could come next, and ends wr then.
// Anybody else is not kept waiting.
func (a *app) complete(ctx context.Context, parser *kong.Kong) {
	if _, asked := a.LookupEnv("COMP_LINE"); !asked {
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
	if a.completeCall(ctx) {
		parser.Exit(0)
		return
	}
	kongcompletion.Register(parser,
		kongcompletion.WithPredictor("project", predict(predictProjects)),
		kongcompletion.WithPredictor("task", predict(predictTasks)))
}

func predictProjects(ws *workspace.Workspace) []string {
	var names []string
	for _, p := range ws.Projects {
		names = append(names, p.Path)
	}
	return names
}
