package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginVerifyCmd is `wr plugin verify`.
type pluginVerifyCmd struct {
	Names []string `arg:"" optional:"" name:"plugin" predictor:"plugin" help:"The plugins; default: all, and all tables of wr.toml for plugins."`
}

// Help says what is checked.
func (pluginVerifyCmd) Help() string {
	return "Of each plugin: the module and the manifest that this machine keeps, the copy in .wr-plugins and the file at its source have the digests of wr.lock; it asks for what it asked for when it was granted something, and is granted nothing besides; policies allow its source and limits; its config tables are as its schema wants them. What this machine lacks is got; an address is not asked otherwise. Where this system cannot confine the processes of plugins by all that there is, that is a warning."
}

// verified is a plugin in `wr plugin verify --json`.
type verified struct {
	Name   string         `json:"name"`
	Digest string         `json:"digest"`
	Faults []*fault.Error `json:"faults"`
}

// Read checks the plugins and changes nothing in the workspace.
func (c *pluginVerifyCmd) Read(ctx context.Context, a *app) error {
	here, err := a.plugins(ctx)
	if err != nil {
		return err
	}
	defer here.Close()
	names, err := here.names(c.Names)
	if err != nil {
		return err
	}
	var all []verified
	for _, name := range names {
		p := here.pins[name]
		all = append(all, verified{name, p.Digest, faultsOf(here.verify(ctx, p))})
	}
	if len(c.Names) == 0 {
		if unpinned := here.unpinned(); unpinned != nil {
			all = append(all, verified{Faults: faults(unpinned)})
		}
	}
	if f := unconfined(confine.Lacking()); f != nil && len(all) > 0 {
		a.warnOf(f)
	}
	return a.tellVerified(all)
}

// unconfined is the fault of a system that lacks some of what plugins are confined by;
// nil where it has it all.
func unconfined(lacking []string) *fault.Error {
	if len(lacking) == 0 {
		return nil
	}
	return &fault.Error{
		Code:    "plugin.unconfined",
		Message: "processes of plugins are confined without " + strings.Join(lacking, " and ") + ": this system has none, or the container that wr runs in does not allow it",
		Next:    "use a kernel that has it, Linux 5.13 or newer with landlock in lsm=, and let containers use it",
	}
}

func faultsOf(err error) []*fault.Error {
	if err == nil {
		return []*fault.Error{}
	}
	return faults(err)
}

// tellVerified says of each plugin how it is. Any fault is that of the command.
func (a *app) tellVerified(all []verified) error {
	var first *fault.Error
	for _, v := range all {
		for _, f := range v.Faults {
			if first == nil {
				first = f
			}
			if !a.JSON {
				fmt.Fprint(a.Err, a.style(a.Err).Fault(f))
			}
		}
		if len(v.Faults) == 0 && !a.JSON {
			fmt.Fprintf(a.Out, "%s is %s, as wr.lock pins it\n", v.Name, short(v.Digest))
		}
	}
	if a.JSON {
		if err := a.printJSON(orEmpty(all)); err != nil {
			return err
		}
	}
	if first != nil {
		return exit(a.exitCode(first))
	}
	return nil
}

// verify checks one plugin and its settings in every project.
func (i *installed) verify(ctx context.Context, p pin.Pin) error {
	loaded, err := i.loader.Load(ctx, p)
	if err != nil {
		return err
	}
	if _, err := i.loader.Module(ctx, p); err != nil {
		return err
	}
	var wrong []error
	for _, source := range slices.Compact([]string{plugin.Vendored(p.Name), p.Source}) {
		if config.SourceKind(source) != config.SourceFile || !i.there(source) {
			continue
		}
		if _, err := i.loader.From(ctx, p, source); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(append(wrong, i.settings(loaded))...)
}

// there reports whether the workspace has a file.
func (i *installed) there(file string) bool {
	_, err := os.Stat(filepath.Join(i.ws.Root, filepath.FromSlash(file)))
	return !errors.Is(err, fs.ErrNotExist)
}

// settings checks how a plugin is set in the root and in each project. A mistake
// in the root's table is that of all projects, and is told once.
func (i *installed) settings(p *plugin.Plugin) error {
	_, err := p.Settings(i.root(), i.root())
	wrong := []error{err}
	for _, project := range i.ws.Projects {
		if _, own := project.Config.Plugins[p.Pin.Name]; own && project.Path != "." {
			_, err := p.Settings(i.root(), placeOf(project))
			wrong = append(wrong, slices.DeleteFunc(joined(err), func(err error) bool { return fault.Of(err).File == i.root().Name })...)
		}
	}
	return errors.Join(wrong...)
}

// joined are the errors that one is made of.
func joined(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	return nil
}

func placeOf(p workspace.Project) plugin.Place {
	return plugin.Place{File: p.Config, Name: p.ConfigFile()}
}

// unpinned are the tables of all wr.toml for plugins that are not there.
func (i *installed) unpinned() error {
	wrong := plugin.Unpinned(i.root(), i.pins)
	for _, p := range i.ws.Projects {
		if p.Path != "." {
			wrong = append(wrong, plugin.Unpinned(placeOf(p), i.pins)...)
		}
	}
	return errors.Join(wrong...)
}

// isVendored reports whether a plugin has a copy in .wr-plugins.
func (a *app) isVendored(ws *workspace.Workspace, name string) (bool, error) {
	_, err := os.Stat(filepath.Join(ws.Root, filepath.FromSlash(plugin.Vendored(name))))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
