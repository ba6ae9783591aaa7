package testrun_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/spec/spectest"
)

// planned is a plan of an image and its tests for each project.
func planned(root string, projects ...string) plan.Plan {
	p := plan.Plan{Workspace: "acme", Root: root}
	for _, project := range projects {
		image := "wr.local/acme/" + project + ":0a"
		p.Actions = append(p.Actions,
			plan.Action{ID: "build:" + project, Kind: plan.Build, Project: project, Build: &spec.Build{Project: project, Ref: image}},
			plan.Action{ID: "test:" + project, Kind: plan.Test, Project: project, Needs: []string{"build:" + project}, Test: &plan.Tests{
				Container: spec.Container{Image: image}, Command: []string{"pytest"}, Dir: "/app/" + project,
			}})
	}
	return p
}

func owner() spec.Owner { return spec.Owner{UID: os.Getuid(), GID: os.Getgid()} }

func do(ctx context.Context, t *testing.T, p plan.Plan, b spec.Builder, r spec.Runner) (*report.Run, testrun.RunDir) {
	t.Helper()
	result, dir, err := testrun.Do(ctx, p, testrun.Config{Builder: b, Runner: r, Jobs: 2, Builds: 1, Owner: owner(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return result, dir
}

// withoutPytest is a container in which nobody finds pytest.
func withoutPytest() *spectest.Runner {
	return &spectest.Runner{OnRun: func(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
		return spec.Exit{Code: 127}, nil
	}}
}

func TestAnImageThatCannotBeBuiltBreaksItsProjectOnly(t *testing.T) {
	builder := &spectest.Builder{OnBuild: func(_ context.Context, b spec.Build, _ func(spec.Step)) error {
		if b.Project == "bad" {
			return &fault.Error{Code: "image.build_failed", Message: "RUN false ended with 1"}
		}
		return nil
	}}
	p := planned(t.TempDir(), "bad", "good")
	p.Actions = append(p.Actions, plan.Action{ID: "test:none", Kind: plan.Test, Project: "none", None: "only prose"},
		plan.Action{ID: "test:odd", Kind: plan.Test, Project: "odd", Fault: &fault.Error{Code: "config.unknown_key", Class: fault.Usage}})
	result, dir := do(t.Context(), t, p, builder, withoutPytest())
	for project, want := range map[string]string{"bad": "image.build_failed", "good": "test.pytest_missing", "odd": "config.unknown_key"} {
		if f := result.Project(project).Fault; f == nil || f.Code != want {
			t.Errorf("%s ended with %v, want %s", project, f, want)
		}
	}
	if none := result.Project("none"); none.Status != event.None || none.Reason != "only prose" {
		t.Errorf("none ended as %+v", none)
	}
	if result.Exit != 3 || !result.Finished {
		t.Errorf("the run ended with %d, finished %v, want 3", result.Exit, result.Finished)
	}
	recordsAgree(t, dir, result)
}

// recordsAgree compares what is in the run's directory with its result.
func recordsAgree(t *testing.T, dir testrun.RunDir, result *report.Run) {
	t.Helper()
	loaded, err := report.Load(filepath.Join(dir.Path, testrun.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Sums() != result.Sums() || loaded.Exit != result.Exit || loaded.ID != dir.ID {
		t.Errorf("events say %+v and exit %d, the run %+v and %d", loaded.Sums(), loaded.Exit, result.Sums(), result.Exit)
	}
	var want bytes.Buffer
	if err := report.JUnit(&want, loaded); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir.Path, "junit.xml"))
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("junit.xml is not what the events say (%v):\n%s", err, got)
	}
}

func TestAnInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	runner := &spectest.Runner{OnRun: func(ctx context.Context, _ spec.Container, _ spec.Process, _ spec.Stdio) (spec.Exit, error) {
		cancel(errors.New("Ctrl-C"))
		<-ctx.Done()
		return spec.Exit{}, context.Cause(ctx)
	}}
	p := planned(t.TempDir(), "a", "b", "c")
	result, dir := do(ctx, t, p, &spectest.Builder{}, runner)
	if !result.Interrupted || result.Exit != 130 {
		t.Errorf("interrupted %v, exit %d, want 130", result.Interrupted, result.Exit)
	}
	for _, project := range result.Projects {
		if project.Status != event.Interrupted {
			t.Errorf("%s ended as %s", project.Path, project.Status)
		}
	}
	if len(result.Projects) != 3 {
		t.Errorf("%d projects are reported, want all 3", len(result.Projects))
	}
	recordsAgree(t, dir, result)
}

func TestEachRunHasADirectoryOfItsOwn(t *testing.T) {
	root := t.TempDir()
	_, first := do(t.Context(), t, planned(root, "a"), &spectest.Builder{}, withoutPytest())
	_, second := do(t.Context(), t, planned(root, "b"), &spectest.Builder{}, withoutPytest())
	if first.Path == second.Path {
		t.Fatalf("both are in %s", first.Path)
	}
	loaded, err := report.Load(filepath.Join(second.Path, testrun.EventsFile))
	if err != nil || len(loaded.Projects) != 1 || loaded.Projects[0].Path != "b" {
		t.Errorf("the second run holds %v (%v)", loaded.Projects, err)
	}
}

func TestAPlanThatIsWrongIsABugAndNoResult(t *testing.T) {
	p := plan.Plan{Root: t.TempDir(), Actions: []plan.Action{{ID: "x", Kind: "fly"}}}
	_, _, err := testrun.Do(t.Context(), p, testrun.Config{Builder: &spectest.Builder{}, Runner: withoutPytest(), Owner: owner(), Now: time.Now})
	if f := fault.Of(err); f == nil || f.Class != fault.Bug {
		t.Errorf("got %v, want a fault of class bug", err)
	}
}
