package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// discovering has the plugins of a workspace that find tests tell of those of its
// projects. Where there are no such plugins, it has nothing open.
type discovering struct {
	*app
	ws      *workspace.Workspace
	files   fs.FS
	loaded  *loadedPlugins
	asking  *asking // nil until somebody is asked
	closing []func(context.Context) error
}

// discovering loads the plugins of ws. The caller closes it.
func (a *app) discovering(ctx context.Context, ws *workspace.Workspace, files fs.FS) (*discovering, error) {
	loaded, err := a.loadPlugins(ctx, ws)
	return &discovering{app: a, ws: ws, files: files, loaded: loaded}, err
}

// Close ends what was asked, and keeps what it said. That it cannot be kept is no
// failure: it is asked again then.
func (d *discovering) Close(ctx context.Context) {
	for _, end := range slices.Backward(d.closing) {
		if err := end(ctx); err != nil {
			d.warnOf(fault.Of(err))
		}
	}
}

// tests finds out where those of p run.
func (d *discovering) tests(ctx context.Context, p workspace.Project, asked place.Asked) (place.Tests, error) {
	var err error
	if asked.Told, err = d.told(ctx, p); err != nil {
		return place.Tests{}, err
	}
	return place.Of(ctx, d.ws, d.files, p, asked)
}

func findsTests(provides abi.Provides) bool { return provides.Discover }

// told is what plugins tell of the tests of a project, the one that goes first
// first. A plugin that is to be asked and cannot answer is an error: without it
// tests would run where nobody wants them.
func (d *discovering) told(ctx context.Context, p workspace.Project) ([]place.Told, error) {
	all, faults := d.loaded.of(p, findsTests)
	for name, err := range d.loaded.faults { // what it is for nobody knows
		if config.PluginOf(d.loaded.root.File, p.Config, name).Enabled {
			faults[name] = err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		return nil, d.unusable(name, faults[name])
	}
	var told []place.Told
	for _, one := range all {
		files, err := d.ask(ctx, one, p)
		if err != nil {
			return nil, d.unusable(one.name(), err)
		}
		told = append(told, place.Told{Plugin: one.name(), Priority: one.settings.Priority, Files: files})
	}
	return told, nil
}

// unusable is the fault of a plugin, with the way to do without.
func (d *discovering) unusable(name string, err error) error {
	out := *fault.Of(err)
	without := fmt.Sprintf("[plugins.%s] enabled = false in wr.toml does without it", name)
	if out.Next != "" {
		without = out.Next + "; " + without
	}
	out.Next = without
	return &out
}

// ask asks one plugin.
func (d *discovering) ask(ctx context.Context, one installation, p workspace.Project) ([]abi.TestFile, error) {
	if d.asking == nil {
		if err := d.begin(); err != nil {
			return nil, err
		}
	}
	asked, err := d.asking.plugin(one)
	if err != nil {
		return nil, err
	}
	return asked.Discover(ctx, abi.DiscoverParams{
		Work: abi.Work{Project: p.Path}, Paths: place.Named(d.files, p, nil), Nested: d.ws.NestedIn(p),
	})
}

// begin opens what asking takes.
func (d *discovering) begin() error {
	store, err := cache.Open(filepath.Join(d.cacheDir(), "results"), cache.Options{})
	if err != nil {
		d.warnOf(fault.Of(err)) // what is known is worked out again
	}
	index := inputs.OpenIndex(d.cachePath(d.ws))
	asking, err := d.app.asking(d.ws, store, index)
	if err != nil {
		return errors.Join(err, store.Close(), index.Close())
	}
	d.asking = asking
	d.closing = append(d.closing, func(context.Context) error { return errors.Join(store.Close(), index.Close()) }, asking.Close)
	return nil
}

// warnOfUnpinned warns of tables for plugins that nobody has added: they may be
// those that should have been asked.
func (a *app) warnOfUnpinned(ws *workspace.Workspace, projects []workspace.Project) error {
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return err
	}
	places := []plugin.Place{{File: ws.Config, Name: ws.Policies()[0].File}}
	for _, p := range projects {
		if p.Path != "." && p.Fault == nil {
			places = append(places, placeOf(p))
		}
	}
	for _, at := range places {
		for _, wrong := range plugin.Unpinned(at, pins) {
			a.warnOf(fault.Of(wrong))
		}
	}
	return nil
}
