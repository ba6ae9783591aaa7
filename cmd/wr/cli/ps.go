package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// psCmd is `wr ps`.
type psCmd struct {
	All bool `short:"a" help:"Of all workspaces; never another user's."`
}

// Read prints the caller's containers.
func (c *psCmd) Read(ctx context.Context, a *app) error {
	_, containers, err := a.containers(ctx, c.All)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(orEmpty(containers))
	}
	head := []string{"PROJECT", "ROLE", "DOES", "AGE", "ID"}
	if c.All {
		head = append(head, "WORKSPACE")
	}
	var rows [][]string
	for _, one := range containers {
		row := []string{name(one), role(one), what(one), age(one.Since), one.ID[:12], one.Workspace}
		rows = append(rows, row[:len(head)])
	}
	return ui.Table(a.Out, head, rows)
}

// stopCmd is `wr stop [PROJECT...]`.
type stopCmd struct {
	Projects []string `arg:"" predictor:"container" optional:"" name:"project" help:"Whose containers; default: the one used last."`
	All      bool     `short:"a" help:"Every container of yours, of all workspaces."`
}

// Prepare finds the containers to remove.
func (c *stopCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.All && len(c.Projects) > 0 {
		return deed{}, &fault.Error{
			Code: "stop.all_and_some", Class: fault.Usage, Message: "--all and projects exclude each other",
			Next: "wr stop " + strings.Join(c.Projects, " ") + ", or wr stop --all",
		}
	}
	client, containers, err := a.containers(ctx, c.All)
	if err != nil {
		return deed{}, err
	}
	if containers, err = c.chosen(ctx, a, containers); err != nil {
		return deed{}, err
	}
	return deed{
		show: func() error {
			for _, one := range containers {
				fmt.Fprintf(a.Out, "would remove %s (%s, %s)\n", name(one), role(one), what(one))
			}
			return nil
		},
		do: func() error {
			for _, one := range containers {
				if err := client.Remove(ctx, one.ID); err != nil {
					return err
				}
				if !a.Quiet && !a.JSON {
					fmt.Fprintf(a.Out, "removed %s (%s)\n", name(one), role(one))
				}
			}
			if a.JSON {
				return a.printJSON(orEmpty(containers))
			}
			return nil
		},
	}, nil
}

// chosen are the containers that the user means.
func (c *stopCmd) chosen(ctx context.Context, a *app, containers []daemon.Container) ([]daemon.Container, error) {
	if c.All || len(containers) == 0 {
		return containers, nil
	}
	wanted, err := a.chosenProjects(ctx, c.Projects)
	return chosen(containers, wanted), err
}

// chosenProjects are the paths of the projects, and the names of the images, that
// the user named, if any.
func (a *app) chosenProjects(ctx context.Context, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	wanted, err := choose(ws, words{names: names, images: true})
	var paths []string
	for _, p := range wanted.projects {
		paths = append(paths, p.Path)
	}
	return paths, err
}

// chosen are the containers of projects; with none, the one used last.
func chosen(containers []daemon.Container, projects []string) []daemon.Container {
	if len(projects) == 0 && len(containers) > 0 {
		last := slices.MaxFunc(containers, func(a, b daemon.Container) int { return lastUse(a).Compare(lastUse(b)) })
		return []daemon.Container{last}
	}
	return slices.DeleteFunc(containers, func(one daemon.Container) bool {
		return !slices.Contains(projects, one.Project) && !slices.Contains(projects, one.Container)
	})
}

// containers are those of the caller in this workspace, or in all of them.
// Without an engine there are none.
func (a *app) containers(ctx context.Context, everywhere bool) (*daemon.Client, []daemon.Container, error) {
	if everywhere {
		return a.containersOf(ctx, "")
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, nil, err
	}
	return a.containersOf(ctx, ws.Root)
}

// containersOf are those of the caller in the workspace with that root; "" = all.
func (a *app) containersOf(ctx context.Context, root string) (*daemon.Client, []daemon.Container, error) {
	dirs, err := a.dirs()
	if err != nil {
		return nil, nil, err
	}
	client, err := daemon.Dial(ctx, dirs)
	if fault.HasCode(err, "engine.down") {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	all, err := client.Containers(ctx)
	mine := slices.DeleteFunc(all, func(c daemon.Container) bool {
		return c.UID != os.Getuid() || root != "" && c.Workspace != root
	})
	return client, mine, err
}

// lastUse is when a container was used last: now while it is in use.
func lastUse(c daemon.Container) time.Time {
	if c.Users > 0 {
		return time.Now()
	}
	return c.Used
}

func name(c daemon.Container) string {
	if c.Project == "" {
		return "-"
	}
	return event.Unit{Project: c.Project, Container: c.Container}.String()
}

func role(c daemon.Container) string {
	if c.Role == "" {
		return "fresh"
	}
	return string(c.Role)
}

// what tells what a container does at the moment.
func what(c daemon.Container) string {
	switch {
	case c.Users == 0:
		return "idle for " + age(c.Used)
	case c.Role == spec.RoleTest:
		return "tests"
	case len(c.Commands) == 0:
		return "busy"
	default:
		return strings.Join(c.Commands, "; ")
	}
}

// age is how long ago when was.
func age(when time.Time) string {
	d := max(0, time.Since(when)) // a clock may have been set back
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	default:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
}
