package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// engineCmd is `wr engine`.
type engineCmd struct {
	Status engineStatusCmd `cmd:"" default:"1" help:"How the engine is: version, sockets, size, containers."`
	Up     engineUpCmd     `cmd:"" help:"Start the engine, unless it runs. Commands that need one do so themselves."`
	Down   engineDownCmd   `cmd:"" help:"End the engine."`
	Reset  engineResetCmd  `cmd:"" help:"End the engine and delete all of its images and caches."`
	Serve  engineServeCmd  `cmd:"" help:"Be the engine, in the foreground."`
}

type engineUpCmd struct {
	Group string `placeholder:"GROUP" help:"Let this group use the engine. Its members are then as good as root."`
}

// Prepare finds out which engine to start.
func (c *engineUpCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("start the engine of", dirs.State, "unless it runs"),
		do: func() error {
			client, err := a.up(ctx, dirs, c.Group)
			if err != nil || !a.JSON {
				return err
			}
			status, err := client.Status(ctx)
			return firstError(err, a.printJSON(status))
		},
	}, nil
}

type engineDownCmd struct {
	Force bool `help:"Also when containers or builds are running."`
}

// Prepare finds the engine to end; one that does not run is no error.
func (c *engineDownCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	client, err := daemon.Dial(ctx, dirs)
	if fault.HasCode(err, "engine.down") {
		return deed{show: nothing, do: nothing}, nil
	}
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("end the engine of", dirs.State),
		do:   func() error { return client.Stop(ctx, c.Force) },
	}, nil
}

type engineServeCmd struct {
	Group string        `placeholder:"GROUP" help:"Let this group use the engine. Its members are then as good as root."`
	Idle  time.Duration `default:"15m" help:"End after that long with nothing to do; -1s: never."`
}

type engineStatusCmd struct{}

// Read prints how the engine is. It does not start one.
func (engineStatusCmd) Read(ctx context.Context, a *app) error {
	dirs, err := a.dirs()
	if err != nil {
		return err
	}
	client, err := daemon.Dial(ctx, dirs)
	if err != nil {
		return err
	}
	s, err := client.Status(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(s)
	}
	return a.printStatus(s)
}

func (a *app) printStatus(s daemon.Status) error {
	rows := [][]string{
		{"engine", fmt.Sprintf("wr %s, pid %d, since %s", s.Version, s.PID, s.Since.Local().Format(time.DateTime))},
		{"", s.How + ": " + s.Why},
		{"containerd", s.Containerd + "  " + s.Sockets.Containerd},
		{"buildkit", s.BuildKit + "  " + s.Sockets.BuildKit},
		{"state", fmt.Sprintf("%s  %s", s.StateDir, size(s.StateSize))},
		{"memory", size(s.Memory)},
		{"cgroups", fmt.Sprintf("%s %v", s.Cgroups.Mode, s.Cgroups.Controllers)},
	}
	helper := func(name string, h daemon.Helper) {
		rows = append(rows, []string{name, fmt.Sprintf("%s  %s (%s)", h.Path, h.Version, h.Source)})
	}
	helper("shim", s.Helpers.Shim)
	helper("runc", s.Helpers.Runc)
	helper("agent", s.Helpers.Agent)
	for _, w := range s.Warnings {
		rows = append(rows, []string{"warning", w})
	}
	if err := ui.Table(a.Out, []string{"", ""}, rows); err != nil {
		return err
	}
	for _, c := range s.Containers {
		fmt.Fprintf(a.Out, "%s  %s  %s  pid %d\n", c.ID, c.Project, c.Image, c.Owner)
	}
	return nil
}

// size writes bytes as people read them.
func size(bytes int64) string {
	const unit = 1000
	value, suffix := float64(bytes), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if value < unit {
			break
		}
		value, suffix = value/unit, next
	}
	return fmt.Sprintf("%.3g %s", value, suffix)
}
