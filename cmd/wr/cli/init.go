package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/scaffold"
	"github.com/wr-build/wr/host/workspace"
)

// initCmd is `wr init`.
type initCmd struct {
	Base string `placeholder:"REF" help:"Image for the FROM of new Dockerfiles; it must have python3 and pytest."`
	Name string `placeholder:"NAME" help:"Name of the workspace; default: that of its directory."`
}

// Run adds wr to a repository.
func (c *initCmd) Run(ctx context.Context, a *app) error {
	p, err := scaffold.Init(ctx, a.dir, scaffold.Options{Base: c.Base, Name: c.Name})
	if err != nil {
		return err
	}
	return firstOf(a.write(p), func() error { return a.nextAfter(ctx) })
}

// firstOf is err, or what then says when there is none.
func firstOf(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// newCmd is `wr new DIR`.
type newCmd struct {
	Dir  string `arg:"" help:"Directory of the new project."`
	Base string `placeholder:"REF" help:"Image for the FROM of its Dockerfile; it must have python3 and pytest."`
}

// Run makes a project.
func (c *newCmd) Run(ctx context.Context, a *app) error {
	p, err := scaffold.New(ctx, a.dir, c.Dir, scaffold.Options{Base: c.Base})
	if err != nil {
		return err
	}
	return firstOf(a.write(p), func() error { return a.nextAfter(ctx) })
}

// write writes the files of p, or shows them with --dry-run, and then says so.
func (a *app) write(p scaffold.Plan) error {
	if !a.DryRun {
		owner, err := a.caller(&workspace.Workspace{Root: p.Root})
		if err != nil {
			return err
		}
		if err := p.Write(owner); err != nil {
			return err
		}
	}
	if a.JSON {
		p.Files = orEmpty(p.Files)
		return a.printJSON(p)
	}
	for _, f := range p.Files {
		if a.DryRun {
			fmt.Fprintf(a.Out, "── %s\n%s\n", f.Path, strings.TrimRight(f.Content, "\n"))
			continue
		}
		fmt.Fprintln(a.Out, "wrote", f.Path)
	}
	if len(p.Files) == 0 {
		fmt.Fprintln(a.Out, "nothing to add: everything is there")
	}
	for _, note := range p.Notes {
		fmt.Fprintln(a.Out, "note:", note)
	}
	return nil
}

// nextAfter is the command that shows that a scaffold works.
func (a *app) nextAfter(ctx context.Context) error {
	if a.DryRun || a.JSON {
		return nil
	}
	next := "wr test --recursive"
	if ws, err := workspace.Load(ctx, a.dir); err == nil && len(ws.Projects) == 0 {
		next = "wr new DIR"
	}
	_, err := fmt.Fprintln(a.Out, "next:", next)
	return err
}
