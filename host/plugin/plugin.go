// Package plugin is the plugins of a workspace: what wr.lock pins, found and
// hashed, with what each may do and how wr.toml sets it. A plugin of which
// anything does not fit is none: its error says why, and the others go on.
package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// VendorDir is the folder in a workspace's root with copies of plugins, for
// machines that reach nothing. Why its dot: it is none of the code that people
// read, and no project has one of that name.
const VendorDir = ".wr-plugins"

// Vendored is where a plugin's module lies when it is vendored.
func Vendored(name string) string { return path.Join(VendorDir, name+".wasm") }

// Plugin is one that may be used.
type Plugin struct {
	Pin      pin.Pin
	Manifest *manifest.Manifest
	Grant    *grant.Grant
}

// Loader finds the plugins of a workspace.
type Loader struct {
	Fetcher fetch.Fetcher // whose Dir is the workspace's root
	Store   *store.Store
	Ceiling grant.Ceiling
}

// Load loads what is to be known of a plugin to decide whether it has to run. It
// reads no module, unless this machine does not have it yet.
func (l Loader) Load(ctx context.Context, p pin.Pin) (*Plugin, error) {
	if err := errors.Join(l.Ceiling.CheckSource(p.Source), l.Ceiling.CheckLimits(p.Limits)); err != nil {
		return nil, err
	}
	text, found := l.Store.Manifest(p.Manifest)
	if !found {
		b, err := l.obtain(ctx, p)
		if err != nil {
			return nil, err
		}
		text = b.Text
	}
	m, err := fetch.Parse(text, p.Source, l.Fetcher.Taken)
	if err != nil {
		return nil, err
	}
	if err := p.Check(m); err != nil {
		return nil, err
	}
	return &Plugin{p, m, grant.Make(m, p.Granted(), l.Ceiling)}, nil
}

// Module returns the bytes of a plugin, which are those that wr.lock pins.
func (l Loader) Module(ctx context.Context, p pin.Pin) ([]byte, error) {
	if data, found := l.Store.Module(p.Digest, p.Size); found {
		return data, nil
	}
	b, err := l.obtain(ctx, p)
	return b.Module, err
}

// obtain gets a plugin that the store lacks, vendored or from its source.
func (l Loader) obtain(ctx context.Context, p pin.Pin) (fetch.Bundle, error) {
	source := p.Source
	if _, err := os.Stat(filepath.Join(l.Fetcher.Dir, Vendored(p.Name))); !errors.Is(err, fs.ErrNotExist) {
		source = Vendored(p.Name)
	}
	b, err := l.From(ctx, p, source)
	if err != nil {
		return fetch.Bundle{}, err
	}
	return b, l.Store.Put(b.Module, b.Text)
}

// From gets a plugin from where it should lie. Another one there is an error.
func (l Loader) From(ctx context.Context, p pin.Pin, source string) (fetch.Bundle, error) {
	from := l.Fetcher
	from.Limits = ModuleLimits(p.Limits)
	b, err := from.Get(ctx, source)
	if err != nil {
		return fetch.Bundle{}, err
	}
	digest, text := b.Digests()
	if config.SourceKind(source) == config.SourceBuiltin && (digest != p.Digest || text != p.Manifest) {
		return fetch.Bundle{}, otherBuild(p, b, digest)
	}
	var what string
	switch {
	case digest != p.Digest || int64(len(b.Module)) != p.Size:
		what = fmt.Sprintf("the module is %s, and wr.lock pins %s", digest, p.Digest)
	case text != p.Manifest:
		what = fmt.Sprintf("the manifest is %s, and wr.lock pins %s", text, p.Manifest)
	default:
		return b, nil
	}
	return fetch.Bundle{}, &fault.Error{
		Code: "plugin.changed", File: source, Message: p.Name + " was replaced: " + what,
		Next: "restore the file; or, if the new one is meant: wr plugin update " + p.Name,
	}
}

// otherBuild is the fault of a plugin that this wr carries and that is not the one
// of wr.lock, which this machine does not have.
func otherBuild(p pin.Pin, b fetch.Bundle, digest string) error {
	return &fault.Error{
		Code: "plugin.other_build", File: p.Source,
		Message: fmt.Sprintf("this wr carries %s %s, %s, and wr.lock pins %s, %s", p.Name, b.Manifest.Version, digest, p.Version, p.Digest),
		Next:    fmt.Sprintf("take this one: wr plugin update %[1]s; or keep that one for all: wr plugin vendor %[1]s, where it was added", p.Name),
	}
}

// Settings is how a plugin is set for one project.
type Settings struct {
	Enabled  bool
	Priority int64
	Config   json.RawMessage // valid by the plugin's schema; nil = nothing is set
}

// Place is a wr.toml and what faults call it.
type Place struct {
	File *config.File
	Name string
}

// Settings are what the root's wr.toml and a project's own say of the plugin.
func (p *Plugin) Settings(root, project Place) (Settings, error) {
	set := config.PluginOf(root.File, project.File, p.Pin.Name)
	s := Settings{Enabled: set.Enabled, Priority: set.Priority}
	var wrong []error
	for _, mistake := range p.Manifest.Schema.Check(set.Config) {
		wrong = append(wrong, p.wrongConfig(root, project, mistake))
	}
	if len(wrong) > 0 || len(set.Config) == 0 {
		return s, errors.Join(wrong...)
	}
	var err error
	s.Config, err = manifest.JSON(set.Config)
	return s, err
}

// wrongConfig is the fault of a config table, where the value stands: in the
// project's file, or else in the root's.
func (p *Plugin) wrongConfig(root, project Place, m manifest.Mistake) error {
	f := &fault.Error{Code: "plugin.bad_config", Class: fault.Usage, File: root.Name, Hint: m.Hint, Next: "wr plugin inspect " + p.Pin.Name + " shows what can be set"}
	keys := append([]string{"plugins", p.Pin.Name, "config"}, m.Keys...)
	f.Message = fmt.Sprintf("[plugins.%s] %s: %s", p.Pin.Name, config.Key(keys[2:]...), m.Message)
	for n := len(keys); n > 0; n-- {
		for _, place := range []Place{project, root} {
			if line := place.File.First(config.Key(keys[:n]...)); line > 0 {
				f.File, f.Line = place.Name, line
				return f
			}
		}
	}
	return f
}

// Unpinned are the faults of tables of a wr.toml for plugins that wr.lock does not
// pin.
func Unpinned(at Place, pins pin.Pins) []error {
	var all []error
	for _, name := range slices.Sorted(maps.Keys(at.File.Plugins)) {
		if _, err := pins.Find(name); err != nil {
			f := fault.Of(err)
			f.File, f.Line = at.Name, at.File.First(config.Key("plugins", name))
			all = append(all, f)
		}
	}
	return all
}

// Bundle is a plugin with its module, as it was when it was got.
func (l Loader) Bundle(ctx context.Context, p *Plugin) (fetch.Bundle, error) {
	data, err := l.Module(ctx, p.Pin)
	if err != nil {
		return fetch.Bundle{}, err
	}
	text, _ := l.Store.Manifest(p.Pin.Manifest)
	summary, err := module.Check(data, ModuleLimits(p.Pin.Limits))
	_, inside, _ := module.Manifest(data)
	return fetch.Bundle{Source: p.Pin.Source, Module: data, Text: text, Sidecar: !inside, Manifest: p.Manifest, Summary: summary}, err
}

// ModuleLimits are those of a plugin's limits that bound its module.
func ModuleLimits(l config.PluginLimits) module.Limits {
	return module.Limits{
		ModuleSize: int(l.ModuleSize), Functions: int(l.Functions), FunctionSize: int(l.FunctionSize), Locals: int(l.Locals),
		Tables: int(l.Tables), TableSize: int(l.TableSize), Segments: int(l.Segments), Memory: int(l.Memory), Entries: int(l.Entries),
	}
}
