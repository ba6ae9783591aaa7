package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/host/lint/process"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// work is the planned linters with the containers of selected, and those for which
// there is none.
func (l *linting) work(selected []plan.Selected) ([]lint.Job, []report.Linted) {
	broken := l.broken
	places := byPath(selected)
	readies := map[string]func(context.Context) error{}
	var all []lint.Job
	var making sync.Mutex // one image at a time: each draws its progress
	for _, p := range l.planned {
		if len(p.Files) == 0 {
			all = append(all, lint.Job{Linter: lint.Linter{Name: p.Linter, Project: p.Project}})
			continue
		}
		build := plan.Builds(l.ws, []plan.Selected{places[p.Container]}, plan.Options{NoBuild: !l.mayBuild(l.ws)}).Actions[0]
		if readies[p.Container] == nil {
			readies[p.Container] = once(&making, func(ctx context.Context) error { return l.ensure(ctx, l.engine, build) })
		}
		job, err := l.job(p, build, readies[p.Container])
		if err != nil {
			broken = append(broken, report.Linted{Linter: p.Linter, Project: p.Project, Files: len(p.Files), Diagnostics: []abi.Diagnostic{}, Fault: fault.Of(err)})
			continue
		}
		all = append(all, job)
	}
	return all, broken
}

// once does something at most once, while it holds turn; all who ask wait for it
// and get its error.
func once(turn sync.Locker, do func(context.Context) error) func(context.Context) error {
	var first sync.Once
	var err error
	return func(ctx context.Context) error {
		first.Do(func() {
			turn.Lock()
			defer turn.Unlock()
			err = do(ctx)
		})
		return err
	}
}

// job is a planned linter that runs in an image.
func (l *linting) job(p planned, build plan.Action, ready func(context.Context) error) (lint.Job, error) {
	if build.Fault != nil {
		return lint.Job{}, build.Fault
	}
	caller, err := l.caller(l.ws)
	if err != nil {
		return lint.Job{}, err
	}
	matcher, err := match.New(matcherOf(p.config.Output))
	if err != nil {
		return lint.Job{}, err
	}
	tool := &process.Linter{
		Name: p.Linter, Project: p.Project, Root: l.ws.Root, Run: p.config.Run, Fix: p.config.Fix, Match: matcher, Runner: l.engine,
		Container: l.container(p, build.Build.Ref, caller), Ready: ready,
		Copy: func(ctx context.Context) (string, func() error, error) { return l.copyOf(ctx, p.project, caller) },
	}
	if p.Container != p.Project {
		tool.Env = []string{"PYTHONPATH=" + plan.ImportRoots(p.project, p.lender)}
	}
	tool.File, tool.Line = l.where(p.project, p.Linter, "run")
	out := lint.Linter{
		Name: p.Linter, Project: p.Project, Files: lint.NewGlobs(p.config.Files), Inputs: p.config.Inputs, Whole: p.config.Whole.Or(false),
		Formats: !p.config.Fix.Empty(), Tool: tool,
	}
	if matcher.Single() {
		out.Most = 1
	}
	out.Key, err = linterKey("run", tool, p.config.Run, matcher.Matcher)
	if err == nil {
		out.FixKey, err = linterKey("fix", tool, p.config.Fix, abi.Matcher{Clean: matcher.Clean, Found: matcher.Found})
	}
	return lint.Job{Linter: out, Files: p.Files}, err
}

// container is where a linter runs: it reads the workspace, writes nothing that is
// kept, reaches nothing, and has no rights and nothing of a person's.
func (l *linting) container(p planned, image string, caller spec.Owner) spec.Container {
	o := plan.Options{HostEnv: l.hostEnv(p.project, p.lender), Caller: caller}
	c := o.ContainerIn(l.ws, p.project, p.lender, image, spec.NetworkNone)
	c.Role = spec.RoleTest
	c.Mounts[0].ReadOnly = true
	return c
}

// linterKey is all that decides what a command says of files besides those.
func linterKey(kind string, l *process.Linter, run config.Command, m abi.Matcher) (string, error) {
	c := l.Container
	key, err := json.Marshal([]any{kind, c.Image, c.Env, l.Env, c.User, c.Entrypoint, run, m})
	return string(key), err
}

// matcherOf is how wr.toml says that output is read.
func matcherOf(o config.LinterOutput) abi.Matcher {
	m := abi.Matcher{Format: o.Format, Pattern: o.Pattern, Stream: o.Stream, Rule: o.Rule, Message: o.Message, Severity: o.Severity}
	for _, code := range o.Clean {
		m.Clean = append(m.Clean, int(code))
	}
	for _, code := range o.Found {
		m.Found = append(m.Found, int(code))
	}
	return m
}

// lintFolder is the folder of the state in which linters leave things.
const lintFolder = "lint"

// staleCopy is how old a copy must be to be one that a wr left which was killed.
const staleCopy = 24 * time.Hour

// copyOf makes a copy of a project for a command to write to.
func (l *linting) copyOf(ctx context.Context, p workspace.Project, caller spec.Owner) (string, func() error, error) {
	own, err := state.Open(l.ws.Root, caller)
	if err != nil {
		return "", nil, err
	}
	defer own.Close()
	folder, err := own.Enter(lintFolder)
	if err != nil {
		return "", nil, err
	}
	removeStale(folder)
	name := "copy-" + state.Random(4)
	remove := func() error { return errors.Join(folder.RemoveAll(name), folder.Close()) }
	into, err := folder.Fresh(name)
	if err != nil {
		return "", nil, errors.Join(err, folder.Close())
	}
	defer into.Close()
	if err := l.tree.Copy(ctx, p.Path, into.Root, caller); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return filepath.Join(state.Path(l.ws.Root), lintFolder, name), remove, nil
}

// removeStale removes copies that nobody uses any more, as far as it can.
func removeStale(folder state.Folder) {
	dir, err := folder.Open(".")
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(-1)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && time.Since(info.ModTime()) > staleCopy {
			_ = folder.RemoveAll(e.Name())
		}
	}
}

// tell says what was found.
func (l *linting) tell(r *report.Lint) error {
	lines := linesBelow(l.ws.Root)
	prefix := l.inRepository(l.ws.Root)
	err := errors.Join(
		l.writeReport(l.cmd.Sarif, func(f *os.File) error { return report.SARIF(f, r, prefix, lines) }),
		l.writeReport(l.cmd.Junit, func(f *os.File) error { return report.LintJUnit(f, r, abi.Severity(l.cmd.FailOn)) }),
	)
	if l.JSON {
		err = errors.Join(err, l.printJSON(r))
	} else {
		if r.Fault != nil {
			l.report(r.Fault)
		}
		err = errors.Join(err, l.findings(l.ws.Root, lines).Lint(l.Out, r))
	}
	l.tellJob(
		func(w io.Writer) error { return ui.LintAnnotations(w, r, prefix) },
		func(w io.Writer) error { return ui.LintJobSummary(w, r) },
	)
	return err
}
