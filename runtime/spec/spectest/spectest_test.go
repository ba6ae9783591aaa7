package spectest

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

func TestBuilderStoresWhatItBuilds(t *testing.T) {
	var b Builder
	if _, ok, err := b.Lookup(t.Context(), "a"); ok || err != nil {
		t.Errorf("before: %v, %v", ok, err)
	}
	made, err := b.Build(t.Context(), spec.Build{Ref: "a", Labels: map[string]string{"k": "v"}}, nil)
	if err != nil || made.Ref != "a" || len(made.Digest) != 71 {
		t.Errorf("built %+v, %v", made, err)
	}
	found, ok, err := b.Lookup(t.Context(), "a")
	if !ok || err != nil || found.Digest != made.Digest || found.Labels["k"] != "v" {
		t.Errorf("after: %+v, %v, %v", found, ok, err)
	}
	if got := b.Refs(); !slices.Equal(got, []string{"a"}) || len(b.Builds()) != 1 {
		t.Errorf("refs %v, builds %v", got, b.Builds())
	}
}

func TestAFailedBuildStoresNothing(t *testing.T) {
	bad := errors.New("bad")
	var steps []string
	b := Builder{OnBuild: func(_ context.Context, _ spec.Build, progress func(spec.Step)) error {
		progress(spec.Step{Name: "step"})
		return bad
	}}
	_, err := b.Build(t.Context(), spec.Build{Ref: "a"}, func(s spec.Step) { steps = append(steps, s.Name) })
	if !errors.Is(err, bad) || len(b.Refs()) != 0 || !slices.Equal(steps, []string{"step"}) {
		t.Errorf("error %v, refs %v, steps %v", err, b.Refs(), steps)
	}
}

func TestRunnerCountsWhatGoesOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Runner{OnRun: func(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
			<-time.After(time.Second)
			return spec.Exit{Code: 3}, nil
		}}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				exit, err := r.Run(t.Context(), spec.Container{Image: "i"}, spec.Process{}, spec.Stdio{})
				if exit.Code != 3 || err != nil {
					t.Errorf("got %+v, %v", exit, err)
				}
			})
		}
		synctest.Wait()
		if r.Running() != 3 {
			t.Errorf("%d running", r.Running())
		}
		wg.Wait()
		if r.Running() != 0 || r.Peak() != 3 || len(r.Runs()) != 3 || r.Runs()[0].Container.Image != "i" {
			t.Errorf("running %d, peak %d, runs %v", r.Running(), r.Peak(), r.Runs())
		}
	})
}

func TestACancelledRunReturnsTheCause(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	r := Runner{OnRun: func(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
		cancel(why)
		return spec.Exit{}, nil
	}}
	for range 2 {
		if _, err := r.Run(ctx, spec.Container{}, spec.Process{}, spec.Stdio{}); !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
	}
}

func TestScriptAnswersInOrderAndRepeatsTheLast(t *testing.T) {
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	bad := errors.New("bad")
	r := Runner{OnRun: Script(map[string][]Answer{"i": {{Err: bad}, {Out: "text", Exit: spec.Exit{Code: 1}}}})}
	var codes []int
	for _, image := range []string{"i", "i", "i", "other"} {
		exit, err := r.Run(t.Context(), spec.Container{Image: image}, spec.Process{}, spec.Stdio{Out: out})
		if errors.Is(err, bad) {
			exit.Code = -1
		}
		codes = append(codes, exit.Code)
	}
	if want := []int{-1, 1, 1, 0}; !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
	if text, _ := os.ReadFile(out.Name()); string(text) != "texttext" {
		t.Errorf("wrote %q", text)
	}
}
