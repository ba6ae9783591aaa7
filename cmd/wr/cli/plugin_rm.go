package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// pluginRmCmd is `wr plugin rm`.
type pluginRmCmd struct {
	Names []string `arg:"" name:"plugin" predictor:"plugin" help:"The plugins."`
}

// Prepare finds the plugins.
func (c *pluginRmCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	here, err := a.plugins(ctx)
	if err != nil {
		return deed{}, err
	}
	if _, err := here.names(c.Names); err != nil {
		return deed{}, errors.Join(err, here.Close())
	}
	return deed{
		show: a.would("remove", strings.Join(c.Names, ", "), "and all that was granted"),
		do:   func() error { return c.remove(a, here) },
		end:  here.Close,
	}, nil
}

// remove takes the plugins out of wr.lock, and their copies out of .wr-plugins.
func (c *pluginRmCmd) remove(a *app, here *installed) error {
	err := a.changePlugins(here.ws, func(pins pin.Pins) error {
		for _, name := range c.Names {
			delete(pins, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range c.Names {
		if err := a.unvendor(here.ws, name); err != nil {
			return err
		}
	}
	if a.JSON {
		return a.printJSON(map[string]any{"removed": c.Names})
	}
	_, err = fmt.Fprintln(a.Out, "removed", strings.Join(c.Names, ", "))
	return err
}

// vendor writes a plugin into .wr-plugins.
func (a *app) vendor(ws *workspace.Workspace, name string, b fetch.Bundle) error {
	dir, err := a.vendorDir(ws)
	if err != nil {
		return err
	}
	defer dir.Close()
	write := func(name string, data []byte) error {
		return dir.Replace(name, func(f *os.File) error {
			_, err := f.Write(data)
			return err
		})
	}
	if err := write(name+".wasm", b.Module); err != nil {
		return err
	}
	if b.Sidecar {
		return write(name+".wasm"+manifest.Sidecar, b.Text)
	}
	return ignoreMissing(dir.Remove(name + ".wasm" + manifest.Sidecar))
}

// unvendor removes a plugin from .wr-plugins, if it is there.
func (a *app) unvendor(ws *workspace.Workspace, name string) error {
	root, err := state.Root(ws.Root, spec.Owner{})
	if err != nil {
		return err
	}
	defer root.Close()
	dir, err := root.Existing(plugin.VendorDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	return errors.Join(ignoreMissing(dir.Remove(name+".wasm")), ignoreMissing(dir.Remove(name+".wasm"+manifest.Sidecar)))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
