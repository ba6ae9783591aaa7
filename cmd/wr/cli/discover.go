package cli

import (
	"context"
	"io/fs"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// discovering has the plugins of a workspace that find tests tell of those of its
// projects.
type discovering struct {
	*consultation

	files fs.FS
}

// discovering loads the plugins of ws. The caller closes it.
func (a *app) discovering(ctx context.Context, ws *workspace.Workspace, files fs.FS) (*discovering, error) {
	c, err := a.consult(ctx, ws)
	return &discovering{c, files}, err
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
	all, faults := d.of(p, findsTests)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		return nil, faults[name]
	}
	var told []place.Told
	for _, one := range all {
		files, err := d.ask(ctx, one, p)
		if err != nil {
			return nil, without(one.name(), err)
		}
		told = append(told, place.Told{Plugin: one.name(), Priority: one.settings.Priority, Files: files})
	}
	return told, nil
}

// ask asks one plugin.
func (d *discovering) ask(ctx context.Context, one installation, p workspace.Project) ([]abi.TestFile, error) {
	asked, err := d.plugin(one)
	if err != nil {
		return nil, err
	}
	return asked.Discover(ctx, abi.DiscoverParams{
		Work: abi.Work{Project: p.Path}, Paths: place.Named(d.files, p, nil), Nested: d.ws.NestedIn(p),
	})
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
