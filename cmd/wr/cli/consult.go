package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// consultation is the plugins of a workspace, to be asked by commands that do
// something else as well. A workspace without plugins pays for reading its wr.lock,
// and one whose plugins are not wanted for reading their manifests.
type consultation struct {
	*app
	ws     *workspace.Workspace
	loaded *loadedPlugins

	mu     sync.Mutex // guards what follows
	asking *asking    // nil until a plugin is to be asked
	store  *cache.Cache
	index  *inputs.Index
}

// consult loads the plugins of a workspace. The caller closes it.
func (a *app) consult(ctx context.Context, ws *workspace.Workspace) (*consultation, error) {
	loaded, err := a.loadPlugins(ctx, ws)
	return &consultation{app: a, ws: ws, loaded: loaded}, err
}

// of are the plugins that are wanted and enabled for a project, and why others
// cannot be asked. One that cannot be loaded is among these: nobody knows what it
// would have been wanted for.
func (c *consultation) of(p workspace.Project, wanted func(abi.Provides) bool) ([]installation, map[string]error) {
	all, faults := c.loaded.of(p, wanted)
	for name, err := range c.loaded.faults {
		if config.PluginOf(c.loaded.root.File, p.Config, name).Enabled {
			faults[name] = err
		}
	}
	return all, faults
}

// wants reports whether a plugin may want to be asked at a hook, in some project.
func (c *consultation) wants(hook string) bool {
	return len(c.loaded.faults) > 0 || slices.ContainsFunc(c.loaded.plugins, func(p *plugin.Plugin) bool {
		return slices.Contains(p.Manifest.Provides.Checks, hook)
	})
}

// plugin is an installation that can be asked.
func (c *consultation) plugin(one installation) (*hook.Plugin, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asking == nil {
		if err := c.open(); err != nil {
			return nil, err
		}
	}
	return c.asking.plugin(one)
}

func (c *consultation) open() error {
	var err error
	if c.store, err = cache.Open(filepath.Join(c.cacheDir(), "results"), cache.Options{}); err != nil {
		c.warnOf(fault.Of(err)) // what is known is worked out again
	}
	c.index = inputs.OpenIndex(c.cachePath(c.ws))
	c.asking, err = c.app.asking(c.ws, c.store, c.index)
	return err
}

// forget has the workspace be looked at anew: something may have changed it.
func (c *consultation) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asking.wrote()
}

// Close ends what runs of plugins. That something could not be kept for the next
// time is a warning.
func (c *consultation) Close(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.asking.Close(ctx)
	if c.index != nil {
		err = errors.Join(err, c.store.Close(), c.index.Close())
	}
	if err != nil {
		c.warnOf(fault.Of(err))
	}
	c.asking, c.store, c.index = nil, nil, nil
}
