package cli

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// pluginTask is a task that plugins of the workspace have, by one name.
type pluginTask struct {
	abi.Task
	plugins []string // sorted; more than one is for wr.toml to decide between
}

// tasksFor are the tasks of plugins that words, as they were typed, may be about: all,
// where wr --help was asked for or words are completed, and where the first of them is
// no command of wr. Why not always: a command of wr must not pay for what it does not use.
func (a *app) tasksFor(ctx context.Context, words []string, model *kong.Application) ([]pluginTask, error) {
	at, completing := commandAt(words), a.Getenv("COMP_LINE") != ""
	switch {
	case at >= 0 && hasCommand(model, words[at:at+1]):
		return nil, nil
	case at >= 0 && !completing:
		all, err := a.pluginTasks(ctx, a.directoryIn(words), true)
		if slices.Contains(taskNames(all), words[at]) {
			err = nil // it is of others
		}
		return all, err
	case completing || slices.Contains(words, "--help") || slices.Contains(words, "-h"):
		all, _ := a.pluginTasks(ctx, a.directoryIn(words), false) // help and completion go on without
		return all, nil
	}
	return nil, nil
}

// directoryIn is where words, as they were typed, have wr work.
func (a *app) directoryIn(words []string) string {
	for i, word := range words {
		if dir, ok := strings.CutPrefix(word, "--directory="); ok {
			return dir
		}
		if (word == "-C" || word == "--directory") && i+1 < len(words) {
			return words[i+1]
		}
		if dir, ok := strings.CutPrefix(word, "-C"); ok {
			return dir
		}
	}
	return a.Getenv("WR_DIRECTORY")
}

// pluginTasks are the tasks of the plugins of the workspace around dir, by name. Nothing is
// read but their manifests, those that this machine has; sure gets the others too, and
// says besides why some cannot be had.
func (a *app) pluginTasks(ctx context.Context, dir string, sure bool) ([]pluginTask, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := workspace.Root(dir)
	if err != nil {
		return nil, nil //nolint:nilerr // outside of workspaces nobody tasks anything
	}
	pins, err := readPlugins(root)
	if err != nil || len(pins) == 0 {
		return nil, err
	}
	all, missing, err := a.tasksOf(pins)
	if err != nil || !missing || !sure {
		return all, err
	}
	lost, err := a.getPlugins(ctx, dir)
	if err != nil {
		return nil, err
	}
	all, _, err = a.tasksOf(pins)
	return all, errors.Join(err, lost)
}

// getPlugins has this machine have all plugins, and says which are lost, and why.
func (a *app) getPlugins(ctx context.Context, dir string) (lost, err error) {
	ws, err := workspace.Load(ctx, dir)
	if err != nil {
		return nil, err
	}
	u, err := a.loadPlugins(ctx, ws)
	if err != nil {
		return nil, err
	}
	var all []error
	for _, name := range slices.Sorted(maps.Keys(u.faults)) {
		all = append(all, u.faults[name])
	}
	return errors.Join(all...), nil
}

// tasksOf are the tasks of pinned plugins; missing says that the manifest of one is
// not on this machine.
func (a *app) tasksOf(pins pin.Pins) (all []pluginTask, missing bool, err error) {
	kept, err := store.Open(filepath.Join(a.cacheDir(), "plugins"))
	if err != nil {
		return nil, false, err
	}
	defer kept.Close()
	byName := map[string]*pluginTask{}
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		text, found := kept.Manifest(pins[name].Manifest)
		if !found {
			missing = true
			continue
		}
		m, err := fetch.Parse(text, pins[name].Source, a.own)
		if err != nil {
			continue // it is no plugin here, and whoever asks it is told why
		}
		for _, task := range m.Provides.Tasks {
			if byName[task.Name] == nil {
				byName[task.Name] = &pluginTask{Task: task}
			}
			byName[task.Name].plugins = append(byName[task.Name].plugins, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, *byName[name])
	}
	return all, missing, nil
}
