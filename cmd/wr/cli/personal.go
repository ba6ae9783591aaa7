package cli

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// inCI reports whether wr runs where nobody's own settings count.
func (a *app) inCI() bool {
	return !slices.Contains([]string{"", "0", "false"}, a.Getenv("CI"))
}

// personal is what the caller has set for themselves; nothing in CI. Without a
// workspace it is what holds in all of them.
func (a *app) personal(ctx context.Context, ws *workspace.Workspace) (config.Personal, error) {
	if a.inCI() {
		return config.Personal{}, nil
	}
	home := a.home()
	base := a.Getenv("XDG_CONFIG_HOME")
	if base == "" {
		base = filepath.Join(home, ".config")
	}
	everywhere := filepath.Join(base, "wr", "config.toml")
	all := config.PersonFile{Path: everywhere, Name: everywhere, Home: home}
	if ws == nil {
		return config.LoadPersonal(all)
	}
	local := config.PersonFile{Path: filepath.Join(ws.Root, config.LocalName), Name: config.LocalName, Home: home}
	if err := a.checkLocal(ctx, ws, local); err != nil {
		return config.Personal{}, err
	}
	mine, err := config.LoadPersonal(all, local)
	if err != nil {
		return config.Personal{}, err
	}
	return mine, checkPorts(ws, mine)
}

// home is the home directory of whoever typed the command: under sudo, HOME is
// root's.
func (a *app) home() string {
	if os.Geteuid() == 0 && a.Getenv("SUDO_UID") != "" {
		if u, err := user.LookupId(a.Getenv("SUDO_UID")); err == nil {
			return u.HomeDir
		}
	}
	return a.Getenv("HOME")
}

// checkLocal refuses a wr.local.toml that somebody else wrote: one that came
// with the repository, or belongs to another user, would mount what its author
// likes into containers that its author's code runs in.
func (a *app) checkLocal(ctx context.Context, ws *workspace.Workspace, local config.PersonFile) error {
	info, err := os.Lstat(local.Path)
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if sudo, err := strconv.Atoi(a.Getenv("SUDO_UID")); owner != os.Getuid() && owner != 0 && (err != nil || owner != sudo) {
		return &fault.Error{
			Code: "config.foreign", Class: fault.Usage, File: local.Name, Message: "belongs to another user, whose settings are not yours",
			Next: "remove it, or make it your own",
		}
	}
	// Why no fsmonitor: a repository's own configuration must start nothing.
	git := exec.CommandContext(ctx, "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", ws.Root, "check-ignore", "-q", local.Name)
	if err := git.Run(); git.ProcessState != nil && git.ProcessState.ExitCode() == 1 {
		return &fault.Error{
			Code: "config.not_ignored", Class: fault.Usage, File: local.Name, Err: err,
			Message: "is no file of one person alone: git does not ignore it, or it is committed",
			Next:    "echo /" + config.LocalName + " >>.gitignore; git rm --cached --ignore-unmatch " + config.LocalName,
		}
	}
	return nil
}

// addPersonal adds a person's settings to how projects are planned.
func (a *app) addPersonal(o *plan.Options, mine config.Personal) {
	for _, target := range slices.Sorted(maps.Keys(mine.Mounts)) {
		m := mine.Mounts[target]
		// Why owned: root inside gets at no more than its caller may.
		o.Mounts = append(o.Mounts, spec.Mount{Source: m.Source, Target: target, ReadOnly: !m.Write, Owned: true})
	}
	o.Allow, o.Own = mine.Env.Allow, mine.Limits
	for _, name := range mine.Env.Allow {
		if value, ok := a.LookupEnv(name); ok {
			o.HostEnv[name] = value
		}
	}
}

// recorded are a person's settings as a run records them. Tests publish no ports.
func recorded(mine config.Personal) []event.Setting {
	var all []event.Setting
	for _, s := range mine.Settings {
		if strings.HasPrefix(s.Key, "ports.") {
			continue
		}
		all = append(all, event.Setting{Key: s.Key, Value: s.Value, File: s.File, Line: s.Line})
	}
	return all
}
