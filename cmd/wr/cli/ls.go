package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
)

// lsCmd is `wr ls`.
type lsCmd struct {
	Check bool `help:"Also explain what nearly is a project and is none."`
}

// Read prints the projects.
func (c *lsCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return err
	}
	var missed []workspace.NearMiss
	if c.Check {
		if missed, err = ws.NearMisses(ctx); err != nil {
			return err
		}
	}
	if a.JSON {
		return firstError(a.printJSON(map[string]any{
			"workspace": ws.Name, "root": ws.Root, "projects": orEmpty(ws.Projects),
			"faults": orEmpty(ws.Faults), "nearMisses": orEmpty(missed),
		}), a.unread(ws))
	}
	a.warn(ws)
	if f := ws.NoProjects(); f != nil && !c.Check {
		return f
	}
	var rows [][]string
	for _, p := range ws.Projects {
		rows = append(rows, []string{p.Path, p.Name, version(p), remark(p)})
	}
	if err := ui.Table(a.Out, []string{"PROJECT", "NAME", "VERSION", "TESTS"}, rows); err != nil {
		return err
	}
	for _, m := range missed {
		fmt.Fprintf(a.Out, "%s: %s\n", m.Path, m.Why)
		if m.Next != "" {
			fmt.Fprintf(a.Out, "   next: %s\n", m.Next)
		}
	}
	return a.unread(ws)
}

// unread ends wr with the code of what could not be read of a workspace, which
// has been said: a list that may lack something is no success.
func (a *app) unread(ws *workspace.Workspace) error {
	faults := ws.Faults
	for _, p := range ws.Projects {
		if p.Fault != nil {
			faults = append(slices.Clone(faults), p.Fault)
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return exit(a.exitCode(faults[0]))
}

// warn says what could not be read, on stderr.
func (a *app) warn(ws *workspace.Workspace) {
	for _, f := range ws.Faults {
		fmt.Fprint(a.Err, a.style(a.Err).Fault(f))
	}
}

func version(p workspace.Project) string {
	if p.Config.Project == nil || p.Config.Project.Version == "" {
		return "-"
	}
	return p.Config.Project.Version
}

// remark is what the column TESTS says of p.
func remark(p workspace.Project) string {
	switch {
	case p.Fault != nil:
		return "broken: " + p.Fault.Error()
	case p.Config.Test.None != "":
		return "none: " + p.Config.Test.None
	default:
		return "pytest"
	}
}

// orEmpty makes an absent list [] in JSON, never null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
