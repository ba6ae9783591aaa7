package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/alecthomas/kong"
	"golang.org/x/mod/semver"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// releaseCmd is `wr release [PROJECT...]`.
type releaseCmd struct {
	Projects  []string `arg:"" predictor:"project" optional:"" name:"project" help:"Projects; default: the nearest project above."`
	Recursive bool     `short:"r" help:"Also all projects below that have something to release."`
	As        string   `placeholder:"VERSION" help:"The version that is released; default: that of the present commit's tag, infra/v1.4.0 or v1.4.0."`
	Stage     string   `enum:"dev,prod" default:"dev" help:"dev or prod."`
}

// Help is the long form.
func (releaseCmd) Help() string {
	return "A release is a plan of named steps that plugins give. --dry-run shows them, and is all that this version of wr can do: it carries none out. Plugins that check releases are asked before. See docs/plugins/hooks.md.\n\nExit codes: 0 there is a plan for each project, 1 a check is against it, or nothing is to be released, 2 bad usage, 3 a plugin did not work."
}

// versionFlag is --version, which prints wr's own.
type versionFlag bool

// BeforeReset ends wr with its version. Why not where something is released: who
// types it there means the version of that, and would take what is printed for done.
func (versionFlag) BeforeReset(app *kong.Kong, k *kong.Context, vars kong.Vars) error {
	if node := k.Selected(); node != nil && node.Name == "release" {
		return fmt.Errorf("--version is of wr itself: the version that is released is --as VERSION")
	}
	return kong.VersionFlag(true).BeforeReset(app, vars)
}

// released is what is to be done to release one project.
type released struct {
	Project string         `json:"project"`
	Version string         `json:"version"`
	Stage   string         `json:"stage"`
	Steps   []step         `json:"steps"` // in their order
	Checks  []report.Check `json:"checks,omitempty"`
	Fault   *fault.Error   `json:"fault,omitempty"` // why there is no plan
}

// step is a step and whose it is.
type step struct {
	Plugin string `json:"plugin"`
	abi.Step
}

// Prepare finds out what is to be released.
func (c *releaseCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	ws, chosen, err := a.chosen(ctx, words{names: c.Projects, recursive: c.Recursive})
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: func() error { return c.show(ctx, a, ws, chosen.projects) },
		do: func() error {
			return &fault.Error{
				Code: "release.dry_run_only", Class: fault.Usage, Message: "this version of wr shows the steps of a release, and does not carry them out",
				Next: "wr release --dry-run " + strings.Join(paths(chosen.projects), " "),
			}
		},
	}, nil
}

// show prints the plans of all projects.
func (c *releaseCmd) show(ctx context.Context, a *app, ws *workspace.Workspace, projects []workspace.Project) error {
	plugins, err := a.consult(ctx, ws)
	if err != nil {
		return err
	}
	defer plugins.Close(ctx)
	var asked []workspace.Project
	for _, p := range projects {
		if can, faults := plugins.of(p, releases); len(can)+len(faults) > 0 || p.Fault != nil {
			asked = append(asked, p)
		}
	}
	if len(asked) == 0 || !c.Recursive && len(asked) < len(projects) {
		return nothingToRelease(projects)
	}
	tags, err := c.tags(ctx, ws)
	if err != nil {
		return err
	}
	checks := plugins.check(ctx, beforeRelease, asked)
	var all []released
	for _, p := range asked {
		one := released{Project: p.Path, Stage: c.Stage, Steps: []step{}, Checks: of(checks, p.Path)}
		if one.Fault = p.Fault; one.Fault == nil {
			one.Fault = report.Refusal(one.Checks)
		}
		if one.Fault == nil {
			one.Fault = c.plan(ctx, plugins, p, tags, &one)
		}
		all = append(all, one)
	}
	return a.printReleases(all)
}

func releases(provides abi.Provides) bool { return provides.Release }

func nothingToRelease(projects []workspace.Project) error {
	return &fault.Error{
		Code: "release.none", Class: fault.Failed, Message: "no plugin says how to release " + strings.Join(paths(projects), ", "),
		Next: "wr plugin add one that provides release, see docs/plugins/hooks.md",
	}
}

// plan asks the plugins of a project for their steps.
func (c *releaseCmd) plan(ctx context.Context, plugins *consultation, p workspace.Project, tags []string, into *released) *fault.Error {
	var err error
	if into.Version, err = c.version(p, tags); err != nil {
		return fault.Of(err)
	}
	all, faults := plugins.of(p, releases)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		return fault.Of(faults[name])
	}
	whose := map[string]string{}
	for _, one := range all {
		plugin, err := plugins.plugin(one)
		if err != nil {
			return fault.Of(err)
		}
		steps, err := plugin.Release(ctx, abi.ReleaseParams{Work: abi.Work{Project: p.Path}, Version: into.Version, Stage: c.Stage})
		if err != nil {
			return fault.Of(err)
		}
		for _, s := range steps {
			if other, taken := whose[s.Name]; taken {
				return &fault.Error{
					Code: "release.two_steps", Class: fault.Usage, Message: fmt.Sprintf("%s and %s both have a step %q for %s", other, one.name(), s.Name, p.Path),
					File: p.ConfigFile(), Next: "turn one of the plugins off there: [plugins." + one.name() + "] enabled = false",
				}
			}
			whose[s.Name] = one.name()
			into.Steps = append(into.Steps, step{one.name(), s})
		}
	}
	return nil
}

// tags are those of the present commit, where they are needed.
func (c *releaseCmd) tags(ctx context.Context, ws *workspace.Workspace) ([]string, error) {
	if c.As != "" {
		return nil, nil
	}
	repo, err := vcs.Open(ctx, ws.Root)
	if fault.HasCode(err, "vcs.no_repository") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return repo.Tags(ctx)
}

// version is the version that a project is released as: what was typed, or the
// highest of the tags that name the project, or else of those that name none.
func (c *releaseCmd) version(p workspace.Project, tags []string) (string, error) {
	next := "wr release --as 1.4.0, or git tag v1.4.0"
	if c.As != "" {
		if v, ok := semantic(c.As); ok {
			return v, nil
		}
		return "", &fault.Error{Code: "release.bad_version", Class: fault.Usage, Message: fmt.Sprintf("--as %s is not a semantic version", c.As), Next: next}
	}
	for _, prefix := range []string{p.Path + "/", p.Name + "/", ""} {
		highest := ""
		for _, tag := range tags {
			rest, named := strings.CutPrefix(tag, prefix)
			if v, ok := semantic(rest); named && ok && (highest == "" || semver.Compare("v"+v, "v"+highest) > 0) {
				highest = v
			}
		}
		if highest != "" {
			return highest, nil
		}
	}
	return "", &fault.Error{
		Code: "release.no_version", Class: fault.Usage, Message: "nothing says as which version " + p.Path + " is released: the present commit has no tag with one", Next: next,
	}
}

// semantic is a version with all three numbers, without its v.
func semantic(text string) (string, bool) {
	text = strings.TrimPrefix(text, "v")
	numbers, _, _ := strings.Cut(text, "-")
	return text, semver.IsValid("v"+text) && strings.Count(numbers, ".") >= 2
}

// printReleases prints plans, and what is against them.
func (a *app) printReleases(all []released) error {
	var failed []error
	for _, one := range all {
		if one.Fault != nil {
			failed = append(failed, one.Fault)
		}
	}
	if a.JSON {
		return firstError(a.printJSON(all), a.exitWorst(failed))
	}
	view := ui.NewLines(a.Err, a.style(a.Err))
	say := event.NewStream(time.Now, view)
	for _, one := range all {
		for _, e := range eventsOf(one.Checks) {
			say.Emit(e)
		}
		if one.Fault != nil {
			a.report(one.Fault)
			continue
		}
		if err := a.printRelease(one); err != nil {
			return err
		}
	}
	return firstError(view.Close(), a.exitWorst(failed))
}

// printRelease prints the plan of one project.
func (a *app) printRelease(r released) error {
	fmt.Fprintf(a.Out, "%s %s for %s: %s\n", r.Project, r.Version, r.Stage, ui.Count(len(r.Steps), "step"))
	var rows [][]string
	for _, s := range r.Steps {
		what, undo := shownWords(s.Argv), "-"
		if s.Task != "" {
			what = "task " + s.Task
		}
		if len(s.Undo) > 0 {
			undo = shownWords(s.Undo)
		}
		rows = append(rows, []string{s.Name, s.Plugin, what, undo, s.Help})
	}
	return ui.Table(a.Out, []string{"STEP", "PLUGIN", "WHAT", "UNDO", "HELP"}, rows)
}

// shownWords are the words of a command on one line, whatever is in them.
func shownWords(words []string) string {
	shown := slices.Clone(words)
	for i, word := range words {
		if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
			shown[i] = strconv.Quote(word)
		} else {
			shown[i] = quotedWords(words[i:i+1], nil)
		}
	}
	return strings.Join(shown, " ")
}

// exitWorst ends wr with the code of the worst failure, all of which have been said.
func (a *app) exitWorst(failed []error) error {
	code := 0
	for _, err := range failed {
		code = max(code, a.exitCode(fault.Of(err)))
	}
	if code == 0 {
		return nil
	}
	return exit(code)
}
