package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
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
			"workspace": ws.Name, "root": ws.Root, "projects": listed(ws.Projects), "images": listedImages(ws),
			"faults": orEmpty(ws.Faults), "nearMisses": orEmpty(missed),
		}), a.unread(ws))
	}
	a.warn(ws)
	if f := ws.NoProjects(); f != nil && !c.Check {
		return f
	}
	if err := firstError(a.printProjects(ws.Projects), a.printImages(ws)); err != nil {
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

// listedProject is a project in `wr ls --json`.
type listedProject struct {
	workspace.Project
	Rights []config.Right `json:"rights,omitempty"`
	Reason string         `json:"rightsReason,omitempty"` // why it has them
}

func listed(projects []workspace.Project) []listedProject {
	out := make([]listedProject, len(projects))
	for i, p := range projects {
		out[i] = listedProject{p, p.Config.Rights.List(), p.Config.Rights.Reason}
	}
	return out
}

// printProjects prints the table; with a column for rights where there are any.
func (a *app) printProjects(projects []workspace.Project) error {
	head := []string{"PROJECT", "NAME", "VERSION", "TESTS"}
	anyRights := slices.ContainsFunc(projects, func(p workspace.Project) bool { return len(p.Config.Rights.List()) > 0 })
	if anyRights {
		head = append(head, "RIGHTS")
	}
	var rows [][]string
	for _, p := range projects {
		row := []string{p.Path, p.Name, version(p), remark(p)}
		if anyRights {
			row = append(row, rightsOf(p))
		}
		rows = append(rows, row)
	}
	return ui.Table(a.Out, head, rows)
}

// listedImage is an entry of [images] in `wr ls --json`.
type listedImage struct {
	Name       string       `json:"name"`
	Dockerfile string       `json:"dockerfile,omitempty"` // workspace path
	From       string       `json:"from,omitempty"`       // whose image it uses
	Ref        string       `json:"ref,omitempty"`        // the finished image that it is
	Target     string       `json:"target,omitempty"`     // stage of the Dockerfile
	Fault      *fault.Error `json:"fault,omitempty"`
}

func listedImages(ws *workspace.Workspace) []listedImage {
	out := make([]listedImage, len(ws.Images))
	for i, e := range ws.Images {
		from := e.Config.Image
		out[i] = listedImage{Name: e.Path, From: from.From, Ref: from.Ref, Target: from.Target, Fault: e.Fault}
		if from.From+from.Ref == "" {
			out[i].Dockerfile = e.Dockerfile
		}
	}
	return out
}

// source is what the column FROM says of an image.
func (l listedImage) source() string {
	if l.Fault != nil {
		return "broken: " + l.Fault.Error()
	}
	return cmp.Or(l.From, l.Ref, strings.TrimSuffix(l.Dockerfile+" "+l.Target, " "))
}

// printImages prints a table of [images], if there are any.
func (a *app) printImages(ws *workspace.Workspace) error {
	if len(ws.Images) == 0 {
		return nil
	}
	var rows [][]string
	for _, l := range listedImages(ws) {
		rows = append(rows, []string{l.Name, l.source()})
	}
	fmt.Fprintln(a.Out)
	return ui.Table(a.Out, []string{"IMAGE", "FROM"}, rows)
}

// rightsOf are the kinds of rights of p, in one column.
func rightsOf(p workspace.Project) string {
	var kinds []string
	for _, r := range p.Config.Rights.List() {
		kinds = append(kinds, r.Kind)
	}
	return cmp.Or(strings.Join(kinds, " "), "-")
}

// unread ends wr with the code of what could not be read of a workspace, which
// has been said: a list that may lack something is no success.
func (a *app) unread(ws *workspace.Workspace) error {
	faults := ws.Faults
	for _, p := range ws.Containers() {
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
