package cli

import (
	"context"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// listeners are the plugins that hear of what happens in a run. They are an
// event.Sink. Whatever becomes of them is a warning, and nothing to the run.
type listeners struct {
	app    *app
	all    []*listener
	tested []string // paths of the projects of the run
}

// listener is a plugin as some projects set it.
type listener struct {
	*hook.Events
	kinds    []string
	projects map[string]bool // those of whose events it hears, by path
}

// listeners are the plugins that are to hear of what happens with projects. One that
// sets a plugin otherwise than another has it listen for itself.
func (c *consultation) listeners(ctx context.Context, projects []workspace.Project) *listeners {
	l := &listeners{app: c.app, tested: paths(projects)}
	known := map[*hook.Plugin]*listener{}
	for _, p := range projects {
		if p.Fault != nil {
			continue
		}
		installed, faults := c.loaded.of(p, hears)
		for _, name := range slices.Sorted(maps.Keys(faults)) {
			c.warnOf(fault.Of(faults[name]))
		}
		for _, one := range installed {
			plugin, err := c.plugin(one)
			if err != nil {
				c.warnOf(fault.Of(err))
				continue
			}
			if known[plugin] == nil {
				known[plugin] = &listener{plugin.Events(ctx), one.plugin.Manifest.Provides.Events, map[string]bool{}}
				l.all = append(l.all, known[plugin])
			}
			known[plugin].projects[p.Path] = true
		}
	}
	return l
}

func hears(provides abi.Provides) bool { return len(provides.Events) > 0 }

// Emit tells those of an event that want to hear of its kind. What is about no
// project, or the image of one that is not in the run, is for all.
func (l *listeners) Emit(e event.Event) {
	foreign := !slices.Contains(l.tested, e.Project)
	for _, one := range l.all {
		if (foreign || one.projects[e.Project]) && (slices.Contains(one.kinds, "*") || slices.Contains(one.kinds, string(e.Type))) {
			one.Emit(e)
		}
	}
}

// close waits until they have made something of what they were told.
func (l *listeners) close() {
	for _, one := range l.all {
		if err := one.Close(); err != nil {
			l.app.warnOf(fault.Of(err))
		}
	}
}
