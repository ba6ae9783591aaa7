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

// Prepare finds out which files the repository lacks.
func (c *initCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	o := scaffold.Options{Base: c.Base, Name: c.Name}
	p, err := scaffold.Init(ctx, a.dir, o)
	return a.writing(p, func() string {
		if ws, err := workspace.Load(ctx, a.dir); err == nil && len(ws.Projects) == 0 {
			return o.NewCommand()
		}
		return "wr test --recursive"
	}), err
}

// newCmd is `wr new DIR`.
type newCmd struct {
	Dir  string `arg:"" help:"Directory of the new project."`
	Base string `placeholder:"REF" help:"Image for the FROM of its Dockerfile; it must have python3 and pytest."`
}

// Prepare finds out which files make the project.
func (c *newCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	p, err := scaffold.New(ctx, a.dir, c.Dir, scaffold.Options{Base: c.Base})
	return a.writing(p, func() string { return "wr test " + c.Dir }), err
}

// writing is the deed of writing the files of p and saying with which command
// one sees that they work.
func (a *app) writing(p scaffold.Plan, next func() string) deed {
	return deed{
		show: func() error {
			return a.printFiles(p, func(f scaffold.File) string {
				return fmt.Sprintf("── %s%s\n%s", f.Path, added(f, "", ", at its end"), strings.TrimRight(f.Content, "\n"))
			})
		},
		do: func() error {
			if err := a.write(p); err != nil || a.JSON {
				return err
			}
			_, err := fmt.Fprintln(a.Out, "next:", next())
			return err
		},
	}
}

// write writes the files of p and says so.
func (a *app) write(p scaffold.Plan) error {
	owner, err := a.caller(&workspace.Workspace{Root: p.Root})
	if err != nil {
		return err
	}
	if err := p.Write(owner); err != nil {
		return err
	}
	return a.printFiles(p, func(f scaffold.File) string { return added(f, "wrote ", "added to ") + f.Path })
}

// added chooses words for f: whether it is a new file, or added to one.
func added(f scaffold.File, anew, appended string) string {
	if f.Append {
		return appended
	}
	return anew
}

// printFiles says what each file of p is, and what else there is to know.
func (a *app) printFiles(p scaffold.Plan, words func(scaffold.File) string) error {
	if a.JSON {
		p.Files = orEmpty(p.Files)
		return a.printJSON(p)
	}
	for _, f := range p.Files {
		fmt.Fprintln(a.Out, words(f))
	}
	if len(p.Files) == 0 {
		fmt.Fprintln(a.Out, "nothing to add: everything is there")
	}
	for _, note := range p.Notes {
		fmt.Fprintln(a.Out, "note:", note)
	}
	return nil
}
