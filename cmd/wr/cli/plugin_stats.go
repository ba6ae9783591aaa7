package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginStatsCmd is `wr plugin stats [PLUGIN...]`.
type pluginStatsCmd struct {
	Names []string `arg:"" optional:"" name:"plugin" predictor:"plugin" help:"The plugins; default: all."`
	Reset bool     `env:"-" help:"Forget it all and begin anew."`
}

// Help says what the columns are.
func (pluginStatsCmd) Help() string {
	return "What plugins did in the last runs of wr in this workspace. CALLS are what a plugin worked on, KEPT what was answered as before without it. TOTAL, P50 and MAX are times of calls, with what the plugin had the host do meanwhile. MEMORY is that of its largest instance, PROCESS what its largest process had in memory. FILES and READ are what it opened and read; HOST are functions of the host that it called. FAILED are calls that came to nothing, with crashes among them. With --json also starts and compiling, in nanoseconds, and each function of the host."
}

// usedPlugin is a plugin in `wr plugin stats --json`.
type usedPlugin struct {
	Name string `json:"name"`
	account.Use
	Median time.Duration `json:"median"` // nanoseconds
}

// statistics is what `wr plugin stats --json` prints.
type statistics struct {
	Runs    int          `json:"runs"`
	Since   time.Time    `json:"since,omitzero"` // the end of the first
	Plugins []usedPlugin `json:"plugins"`
}

// Prepare reads what is kept.
func (c *pluginStatsCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.Reset && len(c.Names) > 0 {
		return deed{}, &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: "--reset is of all plugins", Next: "wr plugin stats --reset"}
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return deed{}, err
	}
	own, err := a.ownState(ws)
	if err != nil {
		return deed{}, err
	}
	if c.Reset {
		return deed{show: a.would("forget what plugins did"), do: func() error { return account.Reset(own) }, end: own.Close}, nil
	}
	runs, err := account.Read(own)
	if err = errors.Join(err, own.Close()); err != nil {
		return deed{}, err
	}
	show := func() error { return c.tell(a, ws, runs) }
	return deed{show: show, do: show}, nil
}

// tell prints what plugins did.
func (c *pluginStatsCmd) tell(a *app, ws *workspace.Workspace, runs []account.Run) error {
	sum := account.Sum(runs)
	if err := c.find(ws, sum); err != nil {
		return err
	}
	s := statistics{Runs: len(runs), Plugins: []usedPlugin{}}
	if len(runs) > 0 {
		s.Since = runs[0].Time
	}
	for _, name := range slices.Sorted(maps.Keys(sum)) {
		if len(c.Names) == 0 || slices.Contains(c.Names, name) {
			s.Plugins = append(s.Plugins, usedPlugin{name, *sum[name], sum[name].Times.Median()})
		}
	}
	if a.JSON {
		return a.printJSON(s)
	}
	if len(s.Plugins) == 0 {
		fmt.Fprintln(a.Err, "nothing was asked of plugins yet; wr lint asks those that lint")
		return nil
	}
	rows := make([][]string, len(s.Plugins))
	for i, p := range s.Plugins {
		rows[i] = p.row()
	}
	header := []string{"PLUGIN", "CALLS", "KEPT", "TOTAL", "P50", "MAX", "MEMORY", "PROCESS", "FILES", "READ", "HOST", "FAILED"}
	if err := ui.Table(a.Out, header, rows); err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "%s since %s\n", ui.Count(s.Runs, "run"), s.Since.Local().Format(time.DateTime))
	return nil
}

// find finds the plugins that are meant. Those that were removed may still be known.
func (c *pluginStatsCmd) find(ws *workspace.Workspace, known map[string]*account.Use) error {
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return err
	}
	for _, name := range c.Names {
		if _, err := pins.Find(name); err != nil && known[name] == nil {
			return err
		}
	}
	return nil
}

func (p usedPlugin) row() []string {
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	size := func(n int64) string {
		if n == 0 {
			return "-"
		}
		return units.BytesSize(float64(n))
	}
	host := p.Called()
	return []string{
		p.Name, number(p.Calls), number(p.Kept), lasted(p.Times.Total), lasted(p.Median), lasted(p.Times.Max), size(p.Memory), size(p.Process),
		number(p.Files), size(p.Read), number(host.Calls) + besides(host.Denied, "denied"), number(p.Failed) + besides(p.Crashes, "crashed"),
	}
}

// besides is a number of which a cell of a table tells only if there are any.
func besides(n int64, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d %s)", n, what)
}

// lasted is a duration in about three digits.
func lasted(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
