package cli

import (
	"context"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/helper"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginCmd is `wr plugin`.
type pluginCmd struct {
	Add     pluginAddCmd     `cmd:"" help:"Add a plugin from a file, an address or wr itself, and grant it what it asks for."`
	Ls      pluginLsCmd      `cmd:"" help:"List the plugins of this workspace."`
	Inspect pluginInspectCmd `cmd:"" help:"Show what a plugin is and what it asks for, before it is added or after."`
	Update  pluginUpdateCmd  `cmd:"" help:"Take the plugin that lies at its source now, and say what it asks for besides."`
	Rm      pluginRmCmd      `cmd:"" help:"Remove plugins."`
	Grant   pluginGrantCmd   `cmd:"" help:"Grant a plugin more of what it asks for, or set its limits."`
	Revoke  pluginRevokeCmd  `cmd:"" help:"Take back what a plugin was granted."`
	Audit   pluginAuditCmd   `cmd:"" help:"List everything that plugins may do here, and why."`
	Verify  pluginVerifyCmd  `cmd:"" help:"Check that every plugin is the one that wr.lock pins, and is set as it can be."`
	New     pluginNewCmd     `cmd:"" help:"Start a plugin, a linter or a task, that builds without a network."`
	Check   pluginCheckCmd   `cmd:"" help:"Try whether a plugin keeps to the protocol."`
	Stats   pluginStatsCmd   `cmd:"" help:"What plugins did in the last runs: calls, times, memory, files, failures."`
	Trace   pluginTraceCmd   `cmd:"" help:"Run a command and show all that passes between it and a plugin."`
	Vendor  pluginVendorCmd  `cmd:"" help:"Copy plugins into .wr-plugins, for machines that reach nothing."`
}

// downloadTimeout is how long getting a plugin may take.
const downloadTimeout = 5 * time.Minute

// installed are the plugins of a workspace and all that commands need for them.
type installed struct {
	ws     *workspace.Workspace
	pins   pin.Pins
	loader plugin.Loader
}

// plugins opens the plugins of the workspace. The caller closes them.
func (a *app) plugins(ctx context.Context) (*installed, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return nil, err
	}
	return a.pluginsOf(ws, pins)
}

// pluginsOf opens those plugins of a workspace. The caller closes them.
func (a *app) pluginsOf(ws *workspace.Workspace, pins pin.Pins) (*installed, error) {
	ceiling, err := a.ceiling(ws)
	if err != nil {
		return nil, err
	}
	s, err := store.Open(filepath.Join(a.cacheDir(), "plugins"))
	if err != nil {
		return nil, err
	}
	return &installed{ws, pins, plugin.Loader{Fetcher: a.fetcher(ws.Root), Store: s, Ceiling: ceiling}}, nil
}

// process is the process of a plugin with a module that lies at a path and has a
// digest as wr.lock has it. What it may see and use is for the caller to add.
func (a *app) process(name, module, digest string) sandbox.Config {
	return sandbox.Config{
		Name: name, Module: module, Digest: strings.TrimPrefix(digest, "sha256:"),
		CacheDir: filepath.Join(a.cacheDir(), "compiled"), Program: a.pluginProgram(),
	}
}

// pluginProgram is the program that runs plugins. Where the one that this build
// carries cannot be unpacked or run it is "", wr itself, which is slower to start.
func (a *app) pluginProgram() string {
	if a.PluginProgram != "" {
		return a.PluginProgram
	}
	program, err := helper.UnpackPlugin(filepath.Join(a.cacheDir(), "helpers"))
	if err != nil {
		a.log.Debug().Err(err).Msg("plugins run in wr's own program")
	}
	return program.Path
}

func (i *installed) Close() error { return i.loader.Store.Close() }

// fetcher gets plugins, from paths that start in dir.
func (a *app) fetcher(dir string) fetch.Fetcher {
	return fetch.Fetcher{
		Dir: dir, Taken: a.own, Client: &http.Client{Timeout: downloadTimeout}, Builtin: a.carried().Module,
	}
}

// ownWords are the names that wr has itself.
func ownWords(model *kong.Application) manifest.Words {
	var words manifest.Words
	for _, node := range model.Children {
		words.Commands = append(append(words.Commands, node.Name), node.Aliases...)
	}
	for _, flag := range model.Flags {
		words.Flags = append(append(words.Flags, flag.Name), flag.Aliases...)
	}
	words.Flags = append(words.Flags, recursiveFlag)
	return words
}

// policyVariable names one more policy, as for a job of CI: it can only narrow.
const policyVariable = "WR_POLICY"

// ceiling is all policies that bound plugins here: of the machine, of the
// environment, of the workspace and of those around it.
func (a *app) ceiling(ws *workspace.Workspace) (grant.Ceiling, error) {
	machine, err := config.LoadPolicy(config.MachinePolicy, true)
	if err != nil {
		return nil, err
	}
	all := grant.Ceiling{machine}
	if path := a.Getenv(policyVariable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return nil, &fault.Error{Code: "policy.missing", Class: fault.Usage, Message: policyVariable + ": " + err.Error(), Err: err, Next: "write that policy, or unset " + policyVariable}
		}
		bound, err := config.LoadPolicy(path, false)
		if err != nil {
			return nil, err
		}
		all = append(all, bound)
	}
	for _, policy := range ws.Policies() {
		all = append(all, policy.Config.PluginBound(policy.File))
	}
	return all, nil
}

// readPlugins reads what the wr.lock of the workspace at root says of plugins.
func readPlugins(root string) (pin.Pins, error) {
	dir, err := state.Root(root, spec.Owner{})
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	file, err := lock.Read(dir)
	if err != nil {
		return nil, err
	}
	return pin.Read(file)
}

// changePlugins changes what wr.lock says of plugins, as it is by now.
func (a *app) changePlugins(ws *workspace.Workspace, change func(pin.Pins) error) error {
	if err := a.mayLock(); err != nil {
		return err
	}
	return a.changeLock(ws, func(file *lock.File) error {
		pins, err := pin.Read(*file)
		if err == nil {
			err = change(pins)
		}
		if err == nil {
			pins.Write(file)
		}
		return err
	})
}

// mayLock refuses to change wr.lock where it is fixed: with --locked, and in CI,
// where nobody commits it, unless told otherwise.
func (a *app) mayLock() error {
	told := slices.ContainsFunc(a.parsed.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == "locked" }) || a.Getenv("WR_LOCKED") != ""
	if !a.Locked && (told || !a.inCI()) {
		return nil
	}
	f := &fault.Error{Code: "lock.fixed", Class: fault.Usage, File: lock.Name, Message: "stays as it is: --locked", Next: "do it where you work, and commit " + lock.Name}
	if !a.Locked {
		f.Message = "stays as it is: this is CI, where nobody commits it"
		f.Next += "; or pass --locked=false"
	}
	return f
}

// names are the names of the plugins that are meant: those given, or all.
func (i *installed) names(given []string) ([]string, error) {
	for _, name := range given {
		if _, err := i.pins.Find(name); err != nil {
			return nil, err
		}
	}
	if len(given) > 0 {
		return given, nil
	}
	return slices.Sorted(maps.Keys(i.pins)), nil
}

// predictPlugins completes the names of plugins.
func predictPlugins(ws *workspace.Workspace) []string {
	pins, err := readPlugins(ws.Root)
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(pins))
}

// noPlugins is what a workspace without plugins says.
func noPlugins() error {
	return &fault.Error{Code: "plugin.none", Class: fault.Usage, Message: "this workspace has no plugins", Next: "wr plugin add FILE, or one that wr carries: wr plugin ls --available"}
}
