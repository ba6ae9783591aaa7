package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// logsCmd is `wr logs [PROJECT...]`.
type logsCmd struct {
	Projects []string `arg:"" predictor:"container" optional:"" name:"project" help:"Whose; default: of the container used last, else the nearest project above."`
	All      bool     `short:"a" help:"Of all projects here, and of every container of yours."`
}

// output is what something printed.
type output struct {
	Project   string   `json:"project"`
	Source    string   `json:"source"`              // "entrypoint" or "test"
	Container string   `json:"container,omitempty"` // id
	Text      string   `json:"text"`                // in JSON only
	file      *os.File // open
}

// Read prints what there is.
func (c *logsCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return err
	}
	client, containers, err := a.containers(ctx, c.All)
	if err != nil {
		return err
	}
	if containers, err = (&stopCmd{Projects: c.Projects, All: c.All}).chosen(ctx, a, containers); err != nil {
		return err
	}
	projects, err := c.projects(a, ws, containers)
	if err != nil {
		return err
	}
	all, err := entrypointLogs(ctx, client, containers)
	defer func() {
		for _, o := range all {
			_ = o.file.Close()
		}
	}()
	if err != nil {
		return err
	}
	for _, p := range projects {
		f, err := testrun.OpenLastLog(ws.Root, p.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, output{Project: p.Path, Source: "test", file: f})
	}
	return a.printOutputs(all)
}

// projects are those whose tests count.
func (c *logsCmd) projects(a *app, ws *workspace.Workspace, containers []daemon.Container) ([]workspace.Project, error) {
	switch {
	case c.All:
		return ws.Projects, nil
	case len(c.Projects) > 0:
		wanted, err := choose(ws, words{names: c.Projects, images: true})
		return wanted.projects, err
	case len(containers) > 0:
		p, err := a.container(ws, containers[0].Project)
		return []workspace.Project{p}, err
	default:
		p, err := a.project(ws, "")
		return []workspace.Project{p}, err
	}
}

// entrypointLogs opens what ENTRYPOINTs printed. What it returns is open also
// when there is an error.
func entrypointLogs(ctx context.Context, client *daemon.Client, containers []daemon.Container) (all []output, err error) {
	for _, c := range containers {
		f, err := client.EntrypointLog(ctx, c.ID)
		if err != nil {
			return all, err
		}
		if f != nil {
			all = append(all, output{Project: name(c), Source: "entrypoint", Container: c.ID, file: f})
		}
	}
	return all, nil
}

func (a *app) printOutputs(all []output) error {
	if a.JSON {
		for i, o := range all {
			text, err := io.ReadAll(o.file)
			if err != nil {
				return err
			}
			all[i].Text = string(text)
		}
		return a.printJSON(orEmpty(all))
	}
	if len(all) == 0 {
		return &fault.Error{
			Code: "logs.none", Message: "nothing was printed: no ENTRYPOINT ran in a container that is kept, and no tests have run",
			Next: "wr test, or name another project",
		}
	}
	for _, o := range all {
		fmt.Fprintf(a.Out, "==> %s, %s <==\n", o.Project, o.Source)
		if _, err := io.Copy(a.Out, o.file); err != nil {
			return err
		}
	}
	return nil
}
