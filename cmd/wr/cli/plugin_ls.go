package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// pluginLsCmd is `wr plugin ls`.
type pluginLsCmd struct {
	Available bool `help:"List the plugins that wr itself carries instead: wr plugin add NAME takes one."`
}

// listedPlugin is a plugin in `wr plugin ls --json`.
type listedPlugin struct {
	pinnedPlugin
	Kind     abi.Kind     `json:"kind,omitempty"`
	Provides []string     `json:"provides,omitempty"`
	Enabled  bool         `json:"enabled"` // in the root's wr.toml
	Priority int64        `json:"priority,omitempty"`
	Missing  []abi.Denied `json:"missing,omitempty"` // what it asks for and does not have
	Fault    *fault.Error `json:"fault,omitempty"`   // why it cannot be used
}

// Read lists the plugins. One that cannot be used is listed as that.
func (c pluginLsCmd) Read(ctx context.Context, a *app) error {
	if c.Available {
		return a.available(ctx)
	}
	here, err := a.plugins(ctx)
	if err != nil {
		return err
	}
	defer here.Close()
	all := []listedPlugin{}
	names, _ := here.names(nil)
	for _, name := range names {
		all = append(all, here.list(ctx, name))
	}
	if a.JSON {
		return firstError(a.printJSON(all), unusable(a, all))
	}
	if len(all) == 0 {
		return noPlugins()
	}
	rows := make([][]string, len(all))
	for i, p := range all {
		rows[i] = []string{p.Name, p.Version, brief(p.Provides, "; "), brief(p.Grants, " "), p.Source, p.state()}
	}
	if err := ui.Table(a.Out, []string{"PLUGIN", "VERSION", "PROVIDES", "GRANTED", "SOURCE", "STATE"}, rows); err != nil {
		return err
	}
	for _, p := range all {
		if p.Fault != nil {
			fmt.Fprint(a.Err, a.style(a.Err).Fault(p.Fault))
		}
	}
	return unusable(a, all)
}

// briefWidth is how wide a column is that tells of several things.
const briefWidth = 40

// brief joins what fits into a column, and counts what does not.
func brief(all []string, by string) string {
	words := strings.Split(strings.Join(all, by), " ")
	for n := len(words); n > 1; n-- {
		text := strings.Join(words[:n], " ")
		if n < len(words) {
			text += fmt.Sprintf(" +%d", len(words)-n)
		}
		if len(text) <= briefWidth {
			return text
		}
	}
	if len(words) > 1 {
		return fmt.Sprintf("%s +%d", words[0], len(words)-1)
	}
	return words[0]
}

// list is one plugin, as far as it is known.
func (i *installed) list(ctx context.Context, name string) listedPlugin {
	p := i.pins[name]
	listed := listedPlugin{pinnedPlugin: pinnedOf(p, nil)}
	loaded, err := i.loader.Load(ctx, p)
	if err != nil {
		listed.Fault = fault.Of(err)
		return listed
	}
	settings, err := loaded.Settings(i.root(), i.root())
	if err != nil {
		listed.Fault = fault.Of(err)
	}
	listed.Kind, listed.Provides = loaded.Manifest.Kind, provided(loaded.Manifest.Provides)
	listed.Enabled, listed.Priority, listed.Missing = settings.Enabled, settings.Priority, loaded.Grant.Missing()
	return listed
}

// root is the wr.toml of the workspace.
func (i *installed) root() plugin.Place {
	return plugin.Place{File: i.ws.Config, Name: i.ws.Policies()[0].File}
}

// state is in a word how it stands with a plugin.
func (p listedPlugin) state() string {
	switch {
	case p.Fault != nil:
		return p.Fault.Code
	case !p.Enabled:
		return "disabled"
	case len(p.Missing) > 0:
		return fmt.Sprintf("%d not granted", len(p.Missing))
	default:
		return "ok"
	}
}

// unusable ends wr with the code of the first plugin that cannot be used, which
// has been said.
func unusable(a *app, all []listedPlugin) error {
	for _, p := range all {
		if p.Fault != nil {
			return exit(a.exitCode(p.Fault))
		}
	}
	return nil
}
