package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// statusCmd is bare `wr`.
type statusCmd struct{}

// overview is what `wr --json` prints.
type overview struct {
	Workspace string         `json:"workspace"`
	Root      string         `json:"root"`
	Engine    *fault.Error   `json:"engine,omitempty"` // why images are not known
	Projects  []projectState `json:"projects"`
	Images    []namedImage   `json:"images,omitempty"` // of [images]
	Next      string         `json:"next"`
}

// projectState is one project of an overview.
type projectState struct {
	Project string `json:"project"`
	imageState
	Last   string         `json:"last"` // how the last run of its tests ended
	Counts *report.Counts `json:"counts,omitempty"`
}

// namedImage is one entry of [images] in an overview.
type namedImage struct {
	Name string `json:"name"`
	imageState
}

// imageState is what there is of an image.
type imageState struct {
	Image string       `json:"image"` // ready, to build, to pull, to pull or build, missing, broken or unknown
	Ref   string       `json:"ref,omitempty"`
	Fault *fault.Error `json:"fault,omitempty"`
}

// Read shows where things stand.
func (statusCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if fault.HasCode(err, "workspace.not_found") {
		fmt.Fprintf(a.Out, "no workspace here.\n\nnext: wr init\n")
		return exit(3)
	}
	if err != nil {
		return err
	}
	s := overview{Workspace: ws.Name, Root: ws.Root, Projects: []projectState{}}
	last, when := a.lastRun(ws)
	selected := a.stateOfImages(ctx, ws, &s)
	for i := range s.Projects {
		s.Projects[i].tell(last)
	}
	s.Next = next(ws, s, selected, last)
	if a.JSON {
		return a.printJSON(s)
	}
	a.warn(ws)
	return a.printState(s, when)
}

// stateOfImages fills s with the projects and whether their images are there.
func (a *app) stateOfImages(ctx context.Context, ws *workspace.Workspace, s *overview) []plan.Selected {
	var selected []plan.Selected
	o, err := a.openAll(ctx, ws, choice{projects: ws.Containers()})
	if err == nil {
		defer o.engine.Close()
		selected, err = a.selectAll(ctx, o)
	}
	if err != nil {
		s.Engine = fault.Of(err)
		for _, p := range ws.Containers() {
			s.add(p, imageState{Image: "unknown", Fault: p.Fault})
		}
		return nil
	}
	may := a.mayBuild(ws)
	for _, one := range selected {
		image := imageState{Image: "broken", Fault: one.Broken}
		if one.Broken == nil {
			image.fate(ctx, o.engine, plan.Builds(ws, []plan.Selected{one}, plan.Options{NoBuild: !may}).Actions[0])
		}
		s.add(one.Project, image)
	}
	return selected
}

// add adds what there is of the image of p.
func (s *overview) add(p workspace.Project, image imageState) {
	if p.Entry {
		s.Images = append(s.Images, namedImage{p.Path, image})
		return
	}
	s.Projects = append(s.Projects, projectState{Project: p.Path, imageState: image})
}

// images are the states of all images.
func (s overview) images() []imageState {
	var all []imageState
	for _, p := range s.Projects {
		all = append(all, p.imageState)
	}
	for _, i := range s.Images {
		all = append(all, i.imageState)
	}
	return all
}

// fate says what becomes of the image when it is needed. Whether a registry has
// it is not asked: the state of a workspace must not wait for a network.
func (p *imageState) fate(ctx context.Context, images spec.Images, build plan.Action) {
	p.Ref = build.Build.Ref
	_, there, err := images.Lookup(ctx, p.Ref)
	switch {
	case err == nil && there:
		p.Image = "ready"
	case build.Denied == nil && build.Remote == "":
		p.Image = "to build"
	case build.Denied == nil:
		p.Image = "to pull or build"
	case build.Remote != "":
		p.Image = "to pull"
	default:
		p.Image, p.Fault = "missing", build.Denied
	}
}

// tell adds what the last run says of the project.
func (p *projectState) tell(last *report.Run) {
	p.Last = "never tested"
	if last == nil {
		return
	}
	tested := last.Project(p.Project)
	if tested == nil {
		p.Last = "not in the last run"
		return
	}
	counts := tested.Counts()
	p.Counts = &counts
	switch {
	case tested.Status == event.None:
		p.Last = "no tests by declaration"
	case tested.Fault != nil:
		p.Last = tested.Fault.Code
	case tested.Status == "":
		p.Last = "cut off"
	case tested.Status == event.OK:
		p.Last = fmt.Sprintf("%d passed", counts.Passed)
	case counts.CollectErrors > 0:
		p.Last = fmt.Sprintf("%s: %d files not collected", tested.Status, counts.CollectErrors)
	default:
		p.Last = fmt.Sprintf("%s: %d of %d failed", tested.Status, counts.Failed+counts.Errored, counts.Collected)
	}
}

// lastRun is the newest run of the workspace, and when it was; nil when there
// is none that can be read.
func (a *app) lastRun(ws *workspace.Workspace) (*report.Run, time.Time) {
	dir, ok := testrun.Latest(ws.Root)
	if !ok {
		return nil, time.Time{}
	}
	last, err := report.Load(filepath.Join(dir.Path, testrun.EventsFile))
	if err != nil {
		fmt.Fprint(a.Err, a.style(a.Err).Fault(fault.Of(err)))
		return nil, time.Time{}
	}
	return last, last.Started
}

// next is the command that most likely comes next.
func next(ws *workspace.Workspace, s overview, selected []plan.Selected, last *report.Run) string {
	if len(ws.Projects) == 0 {
		return "wr init"
	}
	if s.Engine != nil {
		return s.Engine.Next
	}
	for _, one := range selected {
		if one.Broken != nil && one.Broken.Next != "" {
			return one.Broken.Next
		}
	}
	for _, i := range s.images() {
		if i.Image == "missing" {
			return i.Fault.Next
		}
	}
	if last == nil {
		return "wr test --recursive"
	}
	for _, p := range last.Projects {
		if p.Status != event.OK && p.Status != event.None {
			return "wr test " + p.Path
		}
	}
	if slices.ContainsFunc(s.Projects, func(p projectState) bool { return strings.HasPrefix(p.Image, "to ") || p.Last == "not in the last run" }) {
		return "wr test --recursive"
	}
	return "wr shell " + s.Projects[0].Project
}

func (a *app) printState(s overview, when time.Time) error {
	fmt.Fprintf(a.Out, "workspace %s  %s\n\n", s.Workspace, s.Root)
	if s.Engine != nil {
		fmt.Fprint(a.Out, a.style(a.Out).Fault(s.Engine))
	}
	if len(s.Projects) == 0 {
		fmt.Fprintln(a.Out, "no projects.")
	} else {
		rows := make([][]string, len(s.Projects))
		for i, p := range s.Projects {
			rows[i] = []string{p.Project, p.Image, p.Last}
		}
		if err := ui.Table(a.Out, []string{"PROJECT", "IMAGE", strings.TrimSpace("LAST RUN " + ago(when))}, rows); err != nil {
			return err
		}
	}
	if err := a.printImageStates(s); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, "\nnext: %s\n", s.Next)
	return err
}

// printImageStates prints a table of [images], if there are any, and what is wrong
// with images.
func (a *app) printImageStates(s overview) error {
	if len(s.Images) > 0 {
		rows := make([][]string, len(s.Images))
		for i, one := range s.Images {
			rows[i] = []string{one.Name, one.Image}
		}
		fmt.Fprintln(a.Out)
		if err := ui.Table(a.Out, []string{"IMAGE", "STATE"}, rows); err != nil {
			return err
		}
	}
	for _, i := range s.images() {
		if i.Fault != nil {
			fmt.Fprint(a.Out, a.style(a.Out).Fault(i.Fault))
		}
	}
	return nil
}

// ago is how long ago when was, in words; "" for never.
func ago(when time.Time) string {
	if when.IsZero() {
		return ""
	}
	switch d := time.Since(when); {
	case d < time.Minute:
		return "(just now)"
	case d < time.Hour:
		return fmt.Sprintf("(%d min ago)", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("(%d h ago)", int(d.Hours()))
	default:
		return "(" + when.Local().Format(time.DateOnly) + ")"
	}
}
