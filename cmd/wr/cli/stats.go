package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/docker/go-units"
	"golang.org/x/term"

	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// statsCmd is `wr stats [PROJECT...]`.
type statsCmd struct {
	Projects []string `arg:"" predictor:"container" optional:"" name:"project" help:"Whose containers; default: the one used last."`
	All      bool     `short:"a" help:"Every container of yours, of all workspaces."`
	Watch    bool     `short:"w" help:"Measure again every second, until Ctrl-C; with --json, a line each time."`
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
	if c.Watch && !a.JSON && !interactive(a.Out) {
		return &fault.Error{Code: "stats.no_terminal", Class: fault.Usage, Message: "without --json, --watch draws on a terminal only", Next: "wr stats --watch --json"}
	}
	m, err := c.meter(ctx, a)
	if err != nil {
		return err
	}
	before, err := m.measure(ctx)
	for wait := measureTime; err == nil; wait = watchTime {
		if !pause(ctx, wait) {
			break
		}
		var now []daemon.Usage
		if now, err = m.measure(ctx); err != nil {
			break
		}
		if err := c.show(a, stats(before, now)); err != nil || !c.Watch {
			return err
		}
		before = now
	}
	if c.Watch && ctx.Err() != nil {
		return nil //nolint:nilerr // that is how watching ends
	}
	return firstError(err, context.Cause(ctx))
}

// meter measures the same containers again and again. It finds out once whose.
type meter struct {
	app      *app
	all      bool
	root     string   // of the workspace, or ""
	projects []string // paths; none = the container used last
}

func (c *statsCmd) meter(ctx context.Context, a *app) (meter, error) {
	m := meter{app: a, all: c.All}
	if c.All {
		return m, nil
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return m, err
	}
	m.root = ws.Root
	m.projects, err = a.chosenProjects(ctx, c.Projects)
	return m, err
}

// measure is what the containers have used so far.
func (m meter) measure(ctx context.Context) ([]daemon.Usage, error) {
	client, containers, err := m.app.containersOf(ctx, m.root)
	if err != nil || client == nil {
		return nil, err
	}
	if !m.all {
		containers = chosen(containers, m.projects)
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
	switch {
	case a.JSON && c.Watch:
		return json.NewEncoder(a.Out).Encode(orEmpty(all))
	case a.JSON:
		return a.printJSON(orEmpty(all))
	case !c.Watch:
		return statsTable(a.Out, all)
	}
	var table bytes.Buffer
	if err := statsTable(&table, all); err != nil {
		return err
	}
	_, rows, err := term.GetSize(int(a.Out.Fd()))
	if err != nil {
		rows = 24
	}
	_, err = a.Out.Write(repaint(table.Bytes(), rows))
	return err
}

// repaint draws text from the top of a screen with so many rows, over what is
// there. Why the screen is not emptied before: it would flicker.
func repaint(text []byte, rows int) []byte {
	out := []byte("\x1b[H")
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, line := range lines[:min(len(lines), max(rows, 1)-1)] {
		out = append(out, bytes.Replace(line, []byte("\n"), []byte("\x1b[K\r\n"), 1)...)
	}
	return append(out, "\x1b[J"...)
}

func statsTable(w io.Writer, all []stat) error {
	var rows [][]string
	for _, s := range all {
		rows = append(rows, []string{
			name(s.Container), role(s.Container), fmt.Sprintf("%.1f%%", s.CPUPercent),
			units.BytesSize(float64(s.Memory)), limitOf(s.MemoryLimit, units.BytesSize(float64(s.MemoryLimit))),
			strconv.FormatInt(s.Pids, 10), limitOf(s.PidsLimit, strconv.FormatInt(s.PidsLimit, 10)), s.ID[:12],
		})
	}
	return ui.Table(w, []string{"PROJECT", "ROLE", ">CPU", ">MEMORY", ">LIMIT", ">PIDS", ">LIMIT", "ID"}, rows)
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
