package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// loadedPlugins are the plugins of a workspace that can be asked, and why the others cannot.
type loadedPlugins struct {
	plugins []*plugin.Plugin // by name
	faults  map[string]error // by name
	root    plugin.Place
	module  func(pin.Pin) string // its path
}

// loadPlugins loads the plugins that wr.lock pins. Of most it reads the manifest alone.
func (a *app) loadPlugins(ctx context.Context, ws *workspace.Workspace) (*loadedPlugins, error) {
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return nil, err
	}
	u := &loadedPlugins{faults: map[string]error{}}
	if len(pins) == 0 {
		return u, nil
	}
	here, err := a.pluginsOf(ws, pins)
	if err != nil {
		return nil, err
	}
	defer here.Close()
	u.root = here.root()
	u.module = func(p pin.Pin) string { return here.loader.Store.Path(p.Digest, p.Size) }
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		one, err := here.loader.Load(ctx, pins[name])
		if err != nil {
			u.faults[name] = err
			continue
		}
		u.plugins = append(u.plugins, one)
	}
	return u, nil
}

// names are those of the plugins that are wanted, whether they can be asked or not;
// of what cannot be loaded nobody knows what it is.
func (u *loadedPlugins) names(wanted func(abi.Provides) bool) []string {
	names := slices.Collect(maps.Keys(u.faults))
	for _, one := range u.plugins {
		if wanted(one.Manifest.Provides) {
			names = append(names, one.Pin.Name)
		}
	}
	return names
}

// installation is a plugin as it is set for a project.
type installation struct {
	plugin   *plugin.Plugin
	settings plugin.Settings
	module   string // path
}

func (i installation) name() string { return i.plugin.Pin.Name }

// of are the plugins that are wanted and enabled for a project, those first that are
// set to come first; and by name why others that are wanted cannot be asked there.
func (u *loadedPlugins) of(p workspace.Project, wanted func(abi.Provides) bool) (all []installation, faults map[string]error) {
	faults = map[string]error{}
	for _, one := range u.plugins {
		if !wanted(one.Manifest.Provides) {
			continue
		}
		settings, err := one.Settings(u.root, placeOf(p))
		if err == nil && settings.Enabled {
			err = blind(one)
		}
		switch {
		case err != nil:
			faults[one.Pin.Name] = err
		case settings.Enabled:
			all = append(all, installation{one, settings, u.module(one.Pin)})
		}
	}
	slices.SortStableFunc(all, func(a, b installation) int { return cmp.Compare(b.settings.Priority, a.settings.Priority) })
	return all, faults
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

// asking has plugins of a workspace answer. Nothing of a plugin runs before it is
// asked something of which no answer is kept.
type asking struct {
	*app
	ws     *workspace.Workspace
	root   *os.File
	memo   *memo.Memo
	store  *cache.Cache
	client *call.Client
	rooms  *rooms
	status *ui.Status // says how far plugins are; nil = nobody watches

	mu   sync.Mutex // guards open
	open map[string]*hook.Plugin

	book account.Book // of what plugins do
}

// asking begins to ask plugins, whose answers are kept in store. The caller closes
// it, before store and index.
func (a *app) asking(ws *workspace.Workspace, store *cache.Cache, index *inputs.Index) (*asking, error) {
	dir, err := os.OpenRoot(ws.Root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	kept, err := memo.New(store, index, dir)
	if err != nil {
		return nil, err
	}
	root, err := os.Open(ws.Root)
	if err != nil {
		return nil, errors.Join(err, kept.Close())
	}
	return &asking{
		app: a, ws: ws, root: root, memo: kept, store: store,
		client: call.NewClient(http.ProxyFromEnvironment), rooms: a.rooms(ws), open: map[string]*hook.Plugin{},
	}, nil
}

// wrote is called when wr itself has written to files: what plugins said before is
// of what they were. Nobody who asks any has nothing to forget.
func (q *asking) wrote() {
	if q != nil {
		q.memo.Forget()
	}
}

// Close ends what runs of plugins.
func (q *asking) Close(ctx context.Context) error {
	if q == nil {
		return nil
	}
	q.status.Clear()
	defer q.keepAccount()
	errs := []error{q.client.Close()}
	for _, p := range q.open {
		errs = append(errs, p.Close(ctx))
	}
	return errors.Join(append(errs, q.rooms.Close(), q.memo.Close(), q.root.Close())...)
}

// plugin is an installation that can be asked. Projects that set it alike share it.
func (q *asking) plugin(one installation) (*hook.Plugin, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	key := one.name() + "\x00" + string(one.settings.Config)
	if p, ok := q.open[key]; ok {
		return p, nil
	}
	p, err := hook.New(q.config(one))
	if err == nil {
		q.open[key] = p
	}
	return p, err
}

// config is a plugin as it is asked.
func (q *asking) config(one installation) hook.Config {
	name, pinned := one.name(), one.plugin.Pin
	limits, process := pinned.Limits, q.process(name, one.module, pinned.Digest)
	process.Root, process.Progress = q.root, q.preparing(name)
	process.Limits = processLimits(limits)
	return hook.Config{
		Manifest: one.plugin.Manifest.Manifest, Process: process,
		Ready:  func(ctx context.Context) error { return q.fetchModule(ctx, pinned) },
		Grants: one.plugin.Grant, Time: time.Duration(limits.Call), Pending: limits.Pending,
		Table: one.settings.Config, Host: abi.Party{Name: "wr", Version: Version()}, Memo: q.memo, Anew: q.traced(name), Watch: q.watch(one),
		Functions: func(string) call.Functions { return q.functions(process.Digest) },
		Listener: rpc.Listener{
			Log:      func(m abi.Log) { q.says(name, m.Level, m.Message) },
			Progress: func(m abi.Progress) { q.status.Show(name, m.Message, m.Done, m.Total) },
			Stray:    func(line string) { q.says(name, "warn", "a line on stdout that is no message: "+line) },
		},
	}
}

// functions are what a plugin of those bytes may ask of wr, where it is granted.
func (q *asking) functions(digest string) call.Functions {
	return call.Functions{
		HTTP: q.client, Secrets: &call.Secrets{LookupEnv: q.LookupEnv}, Store: call.Kept{Cache: q.store, Digest: digest}, Git: q.git,
		Ready: q.rooms.ready, Exec: q.exec,
	}
}

// exec runs a process in a container, which may write to the workspace.
func (q *asking) exec(ctx context.Context, p abi.ExecParams) (abi.ExecResult, error) {
	defer q.wrote()
	q.status.Clear() // the image may have to be built
	return q.rooms.exec(ctx, p)
}

// git are the facts of the repository that the workspace lies in.
func (q *asking) git(ctx context.Context) (abi.GitResult, error) {
	repo, err := vcs.Open(ctx, q.ws.Root)
	if err != nil {
		return abi.GitResult{}, err
	}
	state, err := repo.State(ctx)
	if err != nil {
		return abi.GitResult{}, err
	}
	tags, err := repo.Tags(ctx)
	return abi.GitResult{Commit: state.Commit, Branch: state.Branch, Changed: state.Changed, Tags: tags}, err
}

// fetchModule has a plugin's module lie in the store. Why not before it is needed:
// it is read whole, and where nothing changed no plugin runs.
func (q *asking) fetchModule(ctx context.Context, p pin.Pin) error {
	here, err := q.pluginsOf(q.ws, pin.Pins{p.Name: p})
	if err != nil {
		return err
	}
	defer here.Close()
	_, err = here.loader.Module(ctx, p)
	return err
}

// says prints what a plugin has to tell above the line that says how far it is.
func (q *asking) says(name, level, message string) {
	q.status.Clear()
	q.pluginSays(name, level, message)
}

// show has people see how far plugins are, where they look.
func (q *asking) show() {
	if interactive(q.Err) && !q.Quiet {
		q.status = ui.NewStatus(q.Err, func() int { return width(q.Err) })
	}
}

// pluginSays prints what a plugin has to tell, where that is for everybody.
func (a *app) pluginSays(name, level, message string) {
	if level == "warn" || level == "error" {
		fmt.Fprint(a.Err, a.style(a.Err).Said(name, level, message))
	}
}
