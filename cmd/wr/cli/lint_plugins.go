package cli

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/plugin/scope"
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
	installation
}

// plug finds the plugins that look at files of projects. One that cannot be used is
// a linter that did not work.
func (l *linting) plug(ctx context.Context, projects []workspace.Project) error {
	l.plugins = map[string][]*plugged{}
	u, err := l.loadPlugins(ctx, l.ws)
	if err != nil {
		return err
	}
	l.known = u.names(looksAtFiles)
	l.unusable(projects[0], u.faults)
	for _, p := range projects {
		if p.Fault != nil {
			continue
		}
		all, faults := u.of(p, looksAtFiles)
		for _, one := range all {
			if l.asked(one.name()) {
				l.plugins[p.Path] = append(l.plugins[p.Path], &plugged{planned{Linter: one.name(), Project: p.Path, project: p}, one})
			}
		}
		l.unusable(p, faults)
	}
	return nil
}

func looksAtFiles(provides abi.Provides) bool { return provides.Lint != nil || provides.Format != nil }

// asked reports whether a linter was asked for.
func (l *linting) asked(name string) bool {
	return len(l.cmd.Linter) == 0 || slices.Contains(l.cmd.Linter, name)
}

// unusable remembers plugins that are asked for and cannot be used for a project.
func (l *linting) unusable(p workspace.Project, faults map[string]error) {
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		if l.asked(name) {
			l.broken = append(l.broken, report.Linted{Linter: name, Project: p.Path, Diagnostics: []abi.Diagnostic{}, Fault: fault.Of(faults[name])})
		}
	}
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

// filesOf are the files that a plugin says it looks at.
func filesOf(provides abi.Provides) *abi.Files {
	return cmp.Or(provides.Lint, provides.Format)
}

func (p *plugged) globs() *lint.Globs {
	return lint.NewGlobs(filesOf(p.plugin.Manifest.Provides).Globs)
}

func (p *plugged) whole() bool { return filesOf(p.plugin.Manifest.Provides).Whole }

// plugFiles finds the files of each plugin. About those that it cannot see, as they
// look like secrets, it is not asked.
func (l *linting) plugFiles(chosen choice, wanted map[string]bool) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range l.allPlugged() {
		group.Go(func() error {
			seen, err := scope.New(p.plugin.Grant.Values(abi.CapRead))
			if err != nil {
				return err
			}
			all := l.files(p.project, p.globs(), p.whole(), chosen, wanted)
			p.Files = slices.DeleteFunc(all, func(file string) bool { return !seen.File(file) })
			return nil
		})
	}
	return group.Wait()
}

// pluginJobs are the plugins as linters, and who asks them; nil = there are none.
func (l *linting) pluginJobs(ctx context.Context, store *cache.Cache) ([]lint.Job, *asking, error) {
	all := l.allPlugged()
	if len(all) == 0 {
		return nil, nil, nil
	}
	asking, err := l.asking(l.ws, store, l.index)
	if err != nil {
		return nil, nil, err
	}
	asking.show()
	jobs := make([]lint.Job, len(all))
	for i, p := range all {
		one, err := asking.plugin(p.installation)
		if err != nil {
			return nil, nil, errors.Join(err, asking.Close(ctx))
		}
		jobs[i] = p.job(one)
	}
	return jobs, asking, nil
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
	case p.plugin.Manifest.Stateless, plugin.Single():
		out.Most = 1
	default:
		out.Most = filesPerCall
	}
	return lint.Job{Linter: out, Files: p.Files}
}
