package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// filesPerCall is how many files a plugin is asked about at once that does not say
// that its answers stand alone.
const filesPerCall = 32

// plugged is a plugin that lints or formats, and the files of a project that it is
// to look at.
type plugged struct {
	planned

	plugin   *plugin.Plugin
	settings plugin.Settings
	module   string // path
}

// plug finds the plugins that look at files of projects. One that cannot be used is
// a linter that did not work.
func (l *linting) plug(ctx context.Context, projects []workspace.Project) error {
	l.plugins = map[string][]*plugged{}
	pins, err := readPlugins(l.ws.Root)
	if err != nil || len(pins) == 0 {
		return err
	}
	here, err := l.pluginsOf(l.ws, pins)
	if err != nil {
		return err
	}
	defer here.Close()
	names, _ := here.names(nil)
	for _, name := range names {
		if len(l.cmd.Linter) > 0 && !slices.Contains(l.cmd.Linter, name) {
			continue
		}
		if err := l.plugOne(ctx, here, name, projects); err != nil {
			l.broken = append(l.broken, report.Linted{Linter: name, Project: projects[0].Path, Diagnostics: []abi.Diagnostic{}, Fault: fault.Of(err)})
		}
	}
	return nil
}

func (l *linting) plugOne(ctx context.Context, here *installed, name string, projects []workspace.Project) error {
	one, err := here.loader.Load(ctx, here.pins[name])
	if err != nil {
		return err
	}
	if provides := one.Manifest.Provides; provides.Lint == nil && provides.Format == nil {
		return nil
	}
	if one.Manifest.Kind != abi.KindRPC {
		return &fault.Error{Code: "plugin.kind", Message: fmt.Sprintf("plugin %s is of kind %q, which wr lint does not run yet", name, one.Manifest.Kind)}
	}
	if err := blind(one); err != nil {
		return err
	}
	for _, p := range projects {
		if p.Fault != nil {
			continue
		}
		settings, err := one.Settings(here.root(), placeOf(p))
		if err != nil {
			return err
		}
		if settings.Enabled {
			l.plugins[p.Path] = append(l.plugins[p.Path], &plugged{
				planned: planned{Linter: name, Project: p.Path, project: p}, plugin: one, settings: settings,
				module: here.loader.Store.Path(one.Pin.Digest, one.Pin.Size),
			})
		}
	}
	return nil
}

// blind is the fault of a plugin that may not see all files that it asks for: to it
// they do not exist, so it would say of none what is wrong with it.
func blind(p *plugin.Plugin) error {
	for _, missing := range p.Grant.Missing() {
		if abi.ParseCapability(missing.Capability).Name == abi.CapRead {
			return &fault.Error{
				Code: "plugin.ungranted", Message: fmt.Sprintf("plugin %s asks for %s, which it is not granted", p.Pin.Name, missing.Capability),
				Details: missing.Reason, Next: missing.Grant,
			}
		}
	}
	return nil
}

// allPlugged are the plugins of all projects, in the workspace's order.
func (l *linting) allPlugged() []*plugged {
	var all []*plugged
	for _, p := range l.ws.Projects {
		all = append(all, l.plugins[p.Path]...)
	}
	return all
}

func (l *linting) asPlanned() []planned {
	var all []planned
	for _, p := range l.allPlugged() {
		all = append(all, p.planned)
	}
	return all
}

// globs are the files that a plugin says it looks at.
func (p *plugged) globs() *lint.Globs {
	provides := p.plugin.Manifest.Provides
	if provides.Lint != nil {
		return lint.NewGlobs(provides.Lint.Globs)
	}
	return lint.NewGlobs(provides.Format.Globs)
}

func (p *plugged) whole() bool {
	provides := p.plugin.Manifest.Provides
	return provides.Lint != nil && provides.Lint.Whole
}

// plugFiles finds the files of each plugin.
func (l *linting) plugFiles(chosen choice, wanted map[string]bool) {
	for _, p := range l.allPlugged() {
		p.Files = l.files(p.project, p.globs(), p.whole(), chosen, wanted)
	}
}

// pluginJobs are the plugins as linters. What it returns besides ends them.
func (l *linting) pluginJobs(ctx context.Context, store *cache.Cache) ([]lint.Job, func(context.Context) error, error) {
	all := l.allPlugged()
	if len(all) == 0 {
		return nil, func(context.Context) error { return nil }, nil
	}
	root, err := os.Open(l.ws.Root)
	if err != nil {
		return nil, nil, err
	}
	kept, err := l.memo(store)
	if err != nil {
		return nil, nil, errors.Join(err, root.Close())
	}
	client := call.NewClient(http.ProxyFromEnvironment)
	open := map[string]*hook.Plugin{}
	end := func(ctx context.Context) error {
		errs := []error{client.Close()}
		for _, p := range open {
			errs = append(errs, p.Close(ctx))
		}
		return errors.Join(append(errs, kept.Close(), root.Close())...)
	}
	var jobs []lint.Job
	for _, p := range all {
		key := p.Linter + "\x00" + string(p.settings.Config)
		if open[key] == nil {
			open[key], err = hook.New(l.hookConfig(p, root, kept, store, client))
			if err != nil {
				return nil, nil, errors.Join(err, end(ctx))
			}
		}
		jobs = append(jobs, p.job(open[key]))
	}
	return jobs, end, nil
}

// memo keeps what plugins say.
func (l *linting) memo(store *cache.Cache) (*memo.Memo, error) {
	root, err := os.OpenRoot(l.ws.Root)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return memo.New(store, l.index, root)
}

// job is a plugin as a linter. Why without a key: its answers are kept with all that
// it saw, by itself.
func (p *plugged) job(plugin *hook.Plugin) lint.Job {
	out := lint.Linter{
		Name: p.Linter, Project: p.Project, Files: p.globs(), Whole: p.whole(),
		Formats: p.plugin.Manifest.Provides.Format != nil, Tool: hook.Linter{Plugin: plugin, Project: p.Project},
	}
	switch {
	case out.Whole:
	case p.plugin.Manifest.Stateless:
		out.Most = 1
	default:
		out.Most = filesPerCall
	}
	return lint.Job{Linter: out, Files: p.Files}
}

// hookConfig is a plugin as it is asked.
func (l *linting) hookConfig(p *plugged, root *os.File, kept *memo.Memo, store *cache.Cache, client *call.Client) hook.Config {
	limits, process := p.plugin.Pin.Limits, l.process(p.Linter, p.module, p.plugin.Pin.Digest)
	process.Root, process.Progress = root, func(at sandbox.Progress) { l.preparing(p.Linter, at) }
	process.Limits = sandbox.Limits{
		Memory: int64(limits.Memory), Output: int64(limits.Output), Files: int(limits.Files), Module: plugin.ModuleLimits(limits),
	}
	return hook.Config{
		Manifest: p.plugin.Manifest.Manifest, Process: process,
		Ready:  func(ctx context.Context) error { return l.fetchModule(ctx, p.plugin.Pin) },
		Grants: p.plugin.Grant, Time: time.Duration(limits.Call), Pending: limits.Pending,
		Table: p.settings.Config, Host: abi.Party{Name: "wr", Version: Version()}, Memo: kept,
		Functions: func(string) call.Functions {
			return call.Functions{HTTP: client, Secrets: &call.Secrets{LookupEnv: l.lookupEnv}, Store: call.Kept{Cache: store, Digest: process.Digest}}
		},
		Listener: rpc.Listener{
			Log:   func(m abi.Log) { l.pluginSays(p.Linter, m.Level, m.Message) },
			Stray: func(line string) { l.pluginSays(p.Linter, "warn", "a line on stdout that is no message: "+line) },
		},
	}
}

// fetchModule has a plugin's module lie in the store. Why not before it is needed:
// it is read whole, and where nothing changed no plugin runs.
func (l *linting) fetchModule(ctx context.Context, p pin.Pin) error {
	here, err := l.pluginsOf(l.ws, pin.Pins{p.Name: p})
	if err != nil {
		return err
	}
	defer here.Close()
	_, err = here.loader.Module(ctx, p)
	return err
}

// preparing says what takes a while, once for each version of a plugin.
func (l *linting) preparing(name string, at sandbox.Progress) {
	if at.Stage == "compile" {
		fmt.Fprintf(l.Err, "preparing plugin %s, %d functions\n", name, at.Functions)
	}
}

// pluginSays prints what a plugin has to tell, where that is for everybody.
func (l *linting) pluginSays(name, level, message string) {
	if level == "warn" || level == "error" {
		fmt.Fprint(l.Err, l.style(l.Err).Said(name, level, message))
	}
}

func (l *linting) lookupEnv(name string) (string, bool) {
	value := l.Getenv(name)
	return value, value != ""
}
