package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// statsCmd is `wr stats [PROJECT...]`.
type statsCmd struct {
	Projects []string `arg:"" predictor:"project" optional:"" name:"project" help:"Whose containers; default: the one used last."`
	All      bool     `short:"a" help:"Every container of yours, of all workspaces."`
	Watch    bool     `short:"w" help:"Measure again every second, until Ctrl-C."`
}

// Times between two measurements: their difference is what is used now.
const (
	measureTime = 500 * time.Millisecond
	watchTime   = time.Second
)

// stat is one line.
type stat struct {
	daemon.Usage
	CPUPercent float64 `json:"cpuPercent"` // 100 is one processor
}

// Read measures.
func (c *statsCmd) Read(ctx context.Context, a *app) error {
	if c.Watch && (a.JSON || !interactive(a.Out)) {
		return &fault.Error{Code: "stats.no_terminal", Class: fault.Usage, Message: "--watch draws on a terminal only", Next: "wr stats --json"}
	}
	before, err := c.measure(ctx, a)
	if err != nil {
		return err
	}
	for wait := measureTime; ; wait = watchTime {
		if !pause(ctx, wait) {
			return context.Cause(ctx)
		}
		now, err := c.measure(ctx, a)
		if err != nil {
			return err
		}
		if err := c.show(a, stats(before, now)); err != nil || !c.Watch {
			return err
		}
		before = now
	}
}

// measure is what the chosen containers have used so far.
func (c *statsCmd) measure(ctx context.Context, a *app) ([]daemon.Usage, error) {
	client, containers, err := a.containers(ctx, c.All)
	if err != nil || client == nil {
		return nil, err
	}
	if containers, err = (&stopCmd{Projects: c.Projects, All: c.All}).chosen(ctx, a, containers); err != nil {
		return nil, err
	}
	used, err := client.Usage(ctx)
	return slices.DeleteFunc(used, func(u daemon.Usage) bool {
		return !slices.ContainsFunc(containers, func(c daemon.Container) bool { return c.ID == u.ID })
	}), err
}

// stats compares two measurements. A container that is in one of them only has
// just begun or ended.
func stats(before, now []daemon.Usage) []stat {
	var all []stat
	for _, u := range now {
		i := slices.IndexFunc(before, func(b daemon.Usage) bool { return b.ID == u.ID })
		if i < 0 || !u.At.After(before[i].At) {
			continue
		}
		share := float64(u.CPU-before[i].CPU) / float64(u.At.Sub(before[i].At))
		all = append(all, stat{u, max(0, 100*share)})
	}
	return all
}

func (c *statsCmd) show(a *app, all []stat) error {
	if a.JSON {
		return a.printJSON(orEmpty(all))
	}
	if c.Watch {
		fmt.Fprint(a.Out, "\x1b[H\x1b[J") // from the top of an empty screen
	}
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{
			name(s.Container), role(s.Container), fmt.Sprintf("%.1f%%", s.CPUPercent),
			units.BytesSize(float64(s.Memory)), limitOf(s.MemoryLimit, units.BytesSize(float64(s.MemoryLimit))),
			strconv.FormatInt(s.Pids, 10), limitOf(s.PidsLimit, strconv.FormatInt(s.PidsLimit, 10)), s.ID[:12],
		})
	}
	return ui.Table(a.Out, []string{"PROJECT", "ROLE", ">CPU", ">MEMORY", ">LIMIT", ">PIDS", ">LIMIT", "ID"}, rows)
}

// limitOf is text, or "-" where there is no limit.
func limitOf(limit int64, text string) string {
	if limit == 0 {
		return "-"
	}
	return text
}

// pause waits and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
