package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/workspace"
)

// pluginVendorCmd is `wr plugin vendor`.
type pluginVendorCmd struct {
	Names []string `arg:"" optional:"" name:"plugin" predictor:"plugin" help:"The plugins; default: all."`
}

// Help says what the copies are for.
func (pluginVendorCmd) Help() string {
	return "The copies are used before the source: commit them, and nobody needs the network. wr.lock says which bytes they must have, as everywhere."
}

// Prepare finds the plugins.
func (c *pluginVendorCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	here, err := a.plugins(ctx)
	if err != nil {
		return deed{}, err
	}
	names, err := here.names(c.Names)
	if err == nil && len(names) == 0 {
		err = noPlugins()
	}
	if err != nil {
		return deed{}, errors.Join(err, here.Close())
	}
	return deed{
		show: a.would("copy", names, "into", plugin.VendorDir),
		do:   func() error { return a.vendorAll(ctx, here, names) },
		end:  here.Close,
	}, nil
}

// vendorAll copies plugins as wr.lock pins them.
func (a *app) vendorAll(ctx context.Context, here *installed, names []string) error {
	files := []string{}
	for _, name := range names {
		p, err := here.loader.Load(ctx, here.pins[name])
		if err != nil {
			return err
		}
		b, err := here.loader.Bundle(ctx, p)
		if err != nil {
			return err
		}
		if err := a.vendor(here.ws, name, b); err != nil {
			return err
		}
		files = append(files, plugin.Vendored(name))
	}
	if a.JSON {
		return a.printJSON(map[string]any{"files": files})
	}
	for _, file := range files {
		fmt.Fprintln(a.Out, "wrote", file)
	}
	return nil
}

// vendorDir opens .wr-plugins, made unless it is there.
func (a *app) vendorDir(ws *workspace.Workspace) (state.Folder, error) {
	caller, err := a.caller(ws)
	if err != nil {
		return state.Folder{}, err
	}
	root, err := state.Root(ws.Root, caller)
	if err != nil {
		return state.Folder{}, err
	}
	defer root.Close()
	return root.Enter(plugin.VendorDir)
}
