package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// replayCmd is `wr replay [RUN]`.
type replayCmd struct {
	Run string `arg:"" predictor:"run" optional:"" default:"latest" name:"run" help:"As for wr report: an id, or a directory such as an artifact of CI."`
}

// Help is the long form.
func (replayCmd) Help() string {
	return "The files of the workspace are those of now; check out the commit of the run first. Where git knows that they were others it is said. All else is as it was: images by their digests, cases and their order, arguments of pytest, seed, suites, user, network, limits, and variables, of which those of the caller have the values of now. An image that is not here any more is pulled by its digest, if it was found in a registry.\n\nAt the end it says what differs from that run. The exit code is that of the tests."
}

// replaying is a run that is to be repeated.
type replaying struct {
	*app
	ws     *workspace.Workspace
	engine Engine
	before *report.Run
	plan   plan.Plan // what was planned for it
	owner  spec.Owner

	revision *event.Revision // of the workspace now
	warnings []*fault.Error  // what may make a difference
}

// Prepare reads the run.
func (c *replayCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dir, err := a.runDir(ctx, c.Run)
	if err != nil {
		return deed{}, err
	}
	defer dir.Close()
	r := &replaying{app: a}
	if r.before, err = dir.Load(); err != nil {
		return deed{}, err
	}
	if here := r.before.Here; here != "" {
		return deed{}, &fault.Error{
			Code: "replay.here", Class: fault.Usage, Message: "that run was made by a wr inside the container of " + here + ", so there is no image to make one from",
			Next: "repeat it there: wr " + strings.Join(r.before.Args, " "),
		}
	}
	if r.plan, err = dir.Plan(); err != nil {
		return deed{}, err
	}
	if r.ws, err = workspace.Load(ctx, a.dir); err != nil {
		return deed{}, err
	}
	if r.engine, err = a.connect(ctx); err != nil {
		return deed{}, err
	}
	return deed{
		show: func() error { return r.repeat(ctx, r.show) },
		do:   func() error { return r.repeat(ctx, func(p plan.Plan) error { return r.run(ctx, p) }) },
		end:  r.engine.Close,
	}, nil
}

// repeat plans the run once more.
func (r *replaying) repeat(ctx context.Context, use func(plan.Plan) error) error {
	recordings, err := r.recordings(ctx)
	if err != nil {
		return err
	}
	lenders, err := r.lenders(recordings)
	if err != nil {
		return err
	}
	o := plan.Options{HostEnv: map[string]string{}}
	if r.owner, err = r.caller(r.ws); err != nil {
		return err
	}
	o.Caller = r.owner
	mine, err := r.personal(ctx, r.ws)
	if err != nil {
		return err
	}
	r.addPersonal(&o, mine)
	for _, name := range plan.Taken(recordings) {
		if value, ok := r.LookupEnv(name); ok {
			o.HostEnv[name] = value
		} else {
			r.warnings = append(r.warnings, &fault.Error{Code: "replay.no_variable", Message: name + " was set then, and is not now"})
		}
	}
	r.revision = revision(ctx, r.ws.Root)
	if f := otherRevision(r.before.Revision, r.revision); f != nil {
		r.warnings = append(r.warnings, f)
	}
	return use(plan.Replay(r.ws, recordings, lenders, o))
}

// recordings are what was tested in the run, in the images that it had.
func (r *replaying) recordings(ctx context.Context) ([]plan.Recording, error) {
	var all []plan.Recording
	for _, a := range r.plan.Actions {
		i := slices.IndexFunc(r.before.Projects, func(p *report.Project) bool { return p.Unit() == a.Unit() })
		if a.Test == nil || i < 0 || len(r.before.Projects[i].Cases) == 0 {
			continue
		}
		if first := slices.IndexFunc(all, func(other plan.Recording) bool { return other.Unit() == a.Unit() }); first >= 0 {
			all[first].Join(a)
			continue
		}
		recording, err := r.image(ctx, a, r.before.Projects[i].Digest)
		if err != nil {
			return nil, err
		}
		for _, c := range r.before.Projects[i].Cases {
			recording.Order = append(recording.Order, c.ID)
		}
		all = append(all, recording)
	}
	if len(all) == 0 {
		return nil, &fault.Error{Code: "replay.nothing", Class: fault.Usage, Message: "no case ran in run " + r.before.ID + ", so there is nothing to repeat"}
	}
	return all, nil
}

// image is a recording of a with the image that it had, pulled if it is not here.
func (r *replaying) image(ctx context.Context, a plan.Action, digest string) (plan.Recording, error) {
	recording := plan.Recording{Action: a, Image: a.Test.Container.Image}
	gone := &fault.Error{
		Code: "replay.image_gone", Message: fmt.Sprintf("the image of %s in that run is not here any more", a.Unit()),
		Details: recording.Image + "\n" + cmp.Or(digest, "the run does not say by which digest"), Next: "check out the commit of the run, and wr build " + cmp.Or(a.Container, a.Project),
	}
	if digest == "" {
		return recording, gone
	}
	if from := r.remote(recording.Image); from != "" {
		recording.Remote = repository(from) + "@" + digest
	}
	local := repository(recording.Image) + ":replay-" + strings.TrimPrefix(digest, "sha256:")
	for _, ref := range []string{recording.Image, local} {
		if i, there, err := r.engine.Lookup(ctx, ref); err != nil || there && i.Digest == digest {
			recording.Image = ref
			return recording, err
		}
	}
	recording.Image = local
	if recording.Remote == "" || r.DryRun {
		return recording, gone
	}
	i, found, err := r.engine.Pull(ctx, spec.Copy{Local: local, Remote: recording.Remote, Labels: recording.Labels()}, r.steps(a.Project))
	if err == nil && (!found || i.Digest != digest) {
		gone.Details += "\nnor has the registry " + recording.Remote
		err = gone
	}
	return recording, err
}

// repository is an image's name without tag and digest.
func repository(ref string) string {
	name, _, _ := strings.Cut(ref, "@")
	if tag := strings.LastIndex(name, ":"); tag > strings.LastIndex(name, "/") { // what comes earlier is a port
		return name[:tag]
	}
	return name
}

// remote is where a registry may have had the image of that name, or "".
func (r *replaying) remote(image string) string {
	for _, a := range r.plan.Actions {
		if a.Build != nil && a.Build.Ref == image {
			return a.Remote
		}
	}
	return ""
}

// lenders are whose containers recordings had, and whose tests.
func (r *replaying) lenders(recordings []plan.Recording) (map[string]plan.Selected, error) {
	var all []plan.Selected
	known := r.ws.Containers()
	for _, one := range recordings {
		for _, name := range []string{one.Project, one.Lender()} {
			i := slices.IndexFunc(known, func(p workspace.Project) bool { return p.Path == name })
			if i < 0 {
				return nil, &fault.Error{
					Code: "replay.no_project", Class: fault.Usage, Message: "that run tested in the container of " + name + ", which is neither a project nor an image of this workspace",
					Next: "check out the commit of the run",
				}
			}
			all = append(all, plan.Selected{Project: known[i]})
		}
	}
	r.grantAll(r.ws, all)
	for _, s := range all {
		if err := cmp.Or(s.Fault, s.Refused); err != nil {
			return nil, err
		}
	}
	return byPath(all), nil
}

// show prints p, and what a run of it would tell.
func (r *replaying) show(p plan.Plan) error {
	for _, f := range r.warnings {
		r.warnOf(f)
	}
	return r.printPlan(p)
}

// run carries p out and says what differs.
func (r *replaying) run(ctx context.Context, p plan.Plan) error {
	c := testrun.Config{
		Builder: r.engine, Puller: r.engine, Runner: r.engine, Jobs: r.jobs(),
		Revision: r.revision, Warnings: r.warnings, Owner: r.owner, Shuffle: r.before.Shuffle, FailOnFlaky: r.before.FailOnFlaky,
	}
	if r.before.Coverage != nil {
		c.CoverageMin = r.before.Coverage.Minimum
	}
	return r.test(ctx, p, c, func(now *report.Run) error {
		if r.JSON {
			return nil
		}
		_, err := fmt.Fprintf(r.Out, "\nagainst run %s:\n", r.before.ID)
		return errors.Join(err, ui.Difference(r.Out, r.style(r.Out), report.Compare(r.before, now)))
	})
}
