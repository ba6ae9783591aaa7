//go:build linux && engine

package daemon

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// aged is a cleaning to which everything is old and nothing too much.
func aged() Cleaning { return Cleaning{Budget: 1 << 50, Unused: 1} }

// everything cleans up all that nobody uses.
func everything() Cleaning { return Cleaning{Unused: 1} }

// build makes an image of some size from inputs of its own.
func (f *fixture) build(ref string) {
	f.t.Helper()
	if err := f.tryBuild(ref); err != nil {
		f.t.Fatalf("build %s: %v\n%s", ref, err, f.log())
	}
}

// tryBuild is build that may fail.
func (f *fixture) tryBuild(ref string) error {
	f.t.Helper()
	dir := f.t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile": "FROM " + testImage + "\nCOPY big /\nUSER root\nRUN sha256sum /big >/sum\n",
		"big":        strings.Repeat(ref, 1<<20),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	dirs := f.config.Dirs
	b := image.NewBuilder(image.Config{BuildkitSocket: dirs.BuildkitSocket(), ContainerdSocket: dirs.ContainerdSocket(), State: dirs.State})
	defer b.Close()
	_, err := b.Build(f.t.Context(), spec.Build{
		Project: "p", Ref: ref, Context: dir, Dockerfile: "Dockerfile", Labels: map[string]string{labelKey: ref},
	}, func(spec.Step) {})
	return err
}

// cleanUp cleans up and returns a line for each thing that went.
func (f *fixture) cleanUp(what Cleaning) ([]string, Cleaned) {
	f.t.Helper()
	done, err := f.Clean(f.t.Context(), what)
	if err != nil {
		f.t.Fatal(err)
	}
	var lines []string
	for _, r := range done.Removed {
		if r.Kind != KindCache {
			lines = append(lines, fmt.Sprint(r.Kind, " ", r.Name))
		}
	}
	return lines, done
}

// refs are the references of all images.
func (f *fixture) refs() []string {
	f.t.Helper()
	all, err := f.Images(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	var out []string
	for _, i := range all {
		out = append(out, i.Ref)
	}
	return out
}

func TestCleaningUpRemovesImagesThatHaveANewerOne(t *testing.T) {
	f := start(t)
	for _, ref := range []string{"wr.local/a/web:1", "wr.local/a/web:2", "wr.local/a/web:3", "wr.local/a/lone:1"} {
		f.build(ref)
	}
	f.before = f.census() // with BuildKit's own
	what := aged()
	what.Keep = []string{"wr.local/a/web:2"}
	want := []string{"image wr.local/a/web:1"}
	before := f.refs()
	what.DryRun = true
	if got, done := f.cleanUp(what); !slices.Equal(got, want) || done.After >= done.Before {
		t.Errorf("would remove %v (%d to %d bytes), want %v", got, done.Before, done.After, want)
	}
	if now := f.refs(); !slices.Equal(now, before) {
		t.Errorf("a look has changed %v to %v", before, now)
	}
	what.DryRun = false
	if got, _ := f.cleanUp(what); !slices.Equal(got, want) {
		t.Errorf("removed %v, want %v", got, want)
	}
	if got, _ := f.cleanUp(what); len(got) > 0 {
		t.Errorf("removed %v the second time", got)
	}
}

func TestABudgetOfNothingLeavesWhatIsInUseAndWhatIsNotOurs(t *testing.T) {
	f := start(t)
	for _, ref := range []string{"wr.local/a/web:1", "wr.local/a/idle:1", "wr.local/a/lone:1"} {
		f.build(ref)
	}
	idle := as(spec.RoleDev)
	idle.Image, idle.User = "wr.local/a/idle:1", "root"
	f.must(idle, sh("true"))
	warm := f.one()
	busy := box()
	busy.Image, busy.User = "wr.local/a/web:1", "root"
	foreign := namespaces.WithNamespace(t.Context(), "other")
	record, err := f.containerd.ImageService().Get(t.Context(), "wr.local/a/web:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.containerd.ImageService().Create(foreign, images.Image{Name: "wr.local/a/web:0", Target: record.Target, Labels: record.Labels}); err != nil {
		t.Fatal(err)
	}
	f.during(busy, "echo up; while :; do sleep 0.05; done", []string{"up"}, func() {
		got, done := f.cleanUp(Cleaning{Unused: 1})
		want := []string{"container " + warm, "image wr.local/a/idle:1", "image wr.local/a/lone:1"}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("removed %v, want %v", got, want)
		}
		const big = 2 * 16 << 20 // two images, each of 16 MB
		if freed := done.Before - done.After; freed < 2*big/2 {
			t.Errorf("%d bytes were freed, from %d to %d", freed, done.Before, done.After)
		}
	})
	if got, want := f.refs(), []string{plainImage, testImage, "wr.local/a/web:1"}; !slices.Equal(got, want) {
		t.Errorf("images are %v, want %v", got, want)
	}
	if _, err := f.containerd.ImageService().Get(foreign, "wr.local/a/web:0"); err != nil {
		t.Errorf("the image of another namespace: %v", err)
	}
	if got, _ := f.cleanUp(Cleaning{Unused: 1}); !slices.Equal(got, []string{"image wr.local/a/web:1"}) {
		t.Errorf("removed %v once nothing runs", got)
	}
	f.before = f.census()
	f.build("wr.local/a/web:1") // nothing that BuildKit needs is missing
	f.cleanUp(Cleaning{Unused: 1})
}

func TestWhatCrashesLeftIsCleanedUp(t *testing.T) {
	f := start(t)
	dirs := f.config.Dirs
	for _, dir := range []string{
		filepath.Join(dirs.RuncRoot(), "wr", "orphan"), filepath.Join(dirs.RuncRoot(), "other", "foreign"),
		filepath.Join(dirs.State, "state.bad-1", "containerd"), filepath.Join(dirs.Containers(), "gone"),
	} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Join(dirs.RuncRoot(), "other")) })
	service := f.containerd.LeasesService()
	if _, err := service.Create(t.Context(), leases.WithID("wr-left"), leases.WithLabels(map[string]string{container.LabelContainer: "left"})); err != nil {
		t.Fatal(err)
	}
	if _, err := service.Create(t.Context(), leases.WithID("foreign")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Delete(context.WithoutCancel(t.Context()), leases.Lease{ID: "foreign"}); err != nil {
			t.Error(err)
		}
	})
	want := []string{"leftover gone", "leftover left", "leftover orphan", "damaged " + filepath.Join(dirs.State, "state.bad-1")}
	if got, _ := f.cleanUp(aged()); !slices.Equal(got, want) {
		t.Errorf("removed %v, want %v", got, want)
	}
	left := f.census().Minus(f.before)
	if want := []string{"file " + filepath.Join(dirs.RuncRoot(), "other", "foreign"), "lease foreign"}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want what is not ours: %v", left, want)
	}
}

func TestAUseOfAnImageIsNoted(t *testing.T) {
	f := start(t)
	f.must(box(), sh("true"))
	record, err := f.containerd.ImageService().Get(t.Context(), testImage)
	if err != nil || record.Labels[labelUsed] == "" {
		t.Errorf("labels are %v, %v", record.Labels, err)
	}
}

// unused reports whether the engine does nothing for anybody.
func (f *fixture) unused() bool {
	f.t.Helper()
	status, err := f.Status(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return status.Builds == 0 && f.inUse() == 0
}

func TestTheLayersOfABuildThatFailedAreCleanedUp(t *testing.T) {
	f := start(t)
	f.build("wr.local/a/web:1")
	f.cleanUp(everything())
	f.before = f.census()
	begin := f.look()
	if said, code := f.buildOf("dd if=/dev/zero of=/big bs=1M count=16\nRUN false").ends(); code != 125 {
		t.Fatalf("the build ends with %d and says %q", code, said)
	}
	f.eventually("the build has ended", f.unused)
	if made := f.look() - begin; made < 16<<20 {
		t.Errorf("the failed build has left %d bytes, want at least the layer that it made", made)
	}
	if _, done := f.cleanUp(everything()); done.After > begin+1<<20 {
		t.Errorf("cleaning up left %d bytes, where there were %d before the build", done.After, begin)
	}
}

// look is how many bytes there are.
func (f *fixture) look() int64 {
	f.t.Helper()
	_, done := f.cleanUp(Cleaning{Budget: 1 << 50, Unused: 1 << 50, DryRun: true})
	return done.Before
}
