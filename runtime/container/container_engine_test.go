//go:build linux && engine

package container

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestGarbageCollectionSparesALivingContainer(t *testing.T) {
	census(t)
	m := New(config())
	made := create(t, m)
	for range 3 {
		if err := m.Collect(m.in(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	service := daemons.Containerd().SnapshotService(snapshotter)
	if _, err := service.Stat(m.in(t.Context()), made.ID); err != nil {
		t.Errorf("its snapshot: %v", err)
	}
	if f, err := m.Connect(t.Context(), made); err != nil {
		t.Errorf("its agent: %v", err)
	} else {
		f.Close()
	}
	remove(t, m, made.ID)
}

func TestContainersAreListedWithTheirLabelsAndRemovedOnce(t *testing.T) {
	census(t)
	m := New(config())
	made := create(t, m, func(c *spec.Container) {
		c.Labels = map[string]string{"wr.project": "apps/web", LabelOwner: "1:1", "containerd.io/gc.root": "x"}
	})
	all, err := m.List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("got %v, %v", all, err)
	}
	got := all[0]
	if got.ID != made.ID || got.Labels["wr.project"] != "apps/web" || got.Owner != Process(os.Getpid(), os.Getuid()) || got.Image != testImage {
		t.Errorf("got %+v", got)
	}
	if got.Labels["containerd.io/gc.root"] != "" {
		t.Error("a caller's label speaks for containerd")
	}
	if got.Labels[client.StopSignalLabel] != "SIGQUIT" {
		t.Errorf("labels %v lack the image's stop signal", got.Labels)
	}
	if len(groups(t, made.ID)) == 0 {
		t.Error("the container is in no control group of its own")
	}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { remove(t, m, made.ID) })
	}
	wg.Wait()
	remove(t, m, made.ID)
	if all, err := m.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("after removal: %v, %v", all, err)
	}
	if left := groups(t, made.ID); len(left) != 0 {
		t.Errorf("control groups left: %v", left)
	}
}

func TestAnAgentThatDiesIsReportedWithItsWords(t *testing.T) {
	census(t)
	broken := config()
	busybox, err := containertest.Busybox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	broken.Agent = busybox
	m := New(broken)
	for range 10 { // what it says must not depend on who is faster
		made := create(t, m)
		_, err = m.Connect(t.Context(), made)
		if !fault.HasCode(err, "container.agent_died") || !strings.Contains(fault.Of(err).Details, "applet not found") {
			t.Errorf("got %v with details %q", err, fault.Of(err).Details)
		}
		remove(t, m, made.ID)
	}
}

func TestAContainerIsMadeOfTheImageThatWasLookedUp(t *testing.T) {
	const ref = "docker.io/test/moving:latest"
	point := func(dir string) {
		t.Helper()
		if err := containertest.Import(t.Context(), daemons.Containerd(), ref, ocispec.ImageConfig{WorkingDir: dir}); err != nil {
			t.Fatal(err)
		}
	}
	point("/first")
	t.Cleanup(func() {
		if err := daemons.Containerd().ImageService().Delete(context.Background(), ref); err != nil {
			t.Error(err)
		}
	})
	m := New(config())
	first, err := m.Image(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	point("/second")
	second, err := m.Image(t.Context(), ref)
	if err != nil || second.ID() == first.ID() {
		t.Fatalf("got %v, error %v", second, err)
	}
	for want, img := range map[string]*Image{"/first": first, "/second": second} {
		made, err := m.Create(t.Context(), Process(os.Getpid(), 0), img, spec.Container{Image: ref, Network: spec.NetworkNone})
		if err != nil {
			t.Fatal(err)
		}
		if made.Identity.Dir != want {
			t.Errorf("made of the image with %s: %+v", want, made.Identity)
		}
		remove(t, m, made.ID)
	}
}

func TestAFailedCreationLeavesNothing(t *testing.T) {
	census(t)
	broken := config()
	broken.Runc = "/bin/false"
	_, err := New(broken).Create(t.Context(), Process(os.Getpid(), 0), image(t, New(broken)), spec.Container{Image: testImage})
	if !fault.HasCode(err, "container.start_failed") {
		t.Errorf("got %v", err)
	}
	broken = config()
	broken.Controllers = []string{"cpu"}
	_, err = New(broken).Create(t.Context(), Process(os.Getpid(), 0), image(t, New(broken)), spec.Container{Image: testImage, Memory: 1 << 30})
	if !fault.HasCode(err, "limit.unavailable") || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v", err)
	}
}

func TestReapRemovesWhatEndedAndKeepsWhatLives(t *testing.T) {
	census(t)
	before := New(config()) // the manager of an engine that crashed
	living := create(t, before)
	orphan, err := before.Create(t.Context(), ended(), image(t, before), spec.Container{Image: testImage})
	if err != nil {
		t.Fatal(err)
	}
	dead := create(t, before)
	kill9(t, dead)
	m := New(config())
	own, err := m.Create(t.Context(), ended(), image(t, m), spec.Container{Image: testImage})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := m.Reap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || kept[0].ID != living.ID || kept[0].PID != living.PID {
		t.Errorf("kept %+v, want %s", kept, living.ID)
	}
	all, err := m.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there := make(map[string]bool)
	for _, c := range all {
		there[c.ID] = true
	}
	if len(all) != 2 || !there[living.ID] || !there[own.ID] || there[orphan.ID] {
		t.Errorf("left are %+v", all)
	}
	remove(t, m, own.ID)
	remove(t, m, living.ID)
}

func TestReapRemovesHalfMadeContainersAndNothingOfOthers(t *testing.T) {
	ctx := namespaces.WithNamespace(t.Context(), engine.Namespace)
	c := daemons.Containerd()
	foreign, err := c.LeasesService().Create(ctx, leases.WithID("foreign"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.LeasesService().Delete(ctx, foreign)
	service := c.SnapshotService(snapshotter)
	if _, err := service.Prepare(leases.WithLease(ctx, foreign.ID), "foreign", ""); err != nil {
		t.Fatal(err)
	}
	defer service.Remove(ctx, "foreign")
	other, err := c.NewContainer(ctx, "foreign", client.WithRuntime(programs.Shim, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Delete(ctx)
	census(t) // from here on, everything is to go

	m := New(config())
	id := newID()
	half := &Container{ID: id, Owner: Process(os.Getpid(), 0)}
	leased, _, err := m.lease(ctx, half)
	if err != nil {
		t.Fatal(err)
	}
	img, err := m.images.find(ctx, testImage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.snapshot(leased, half, img); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	precious := filepath.Join(work, "precious")
	if err := os.WriteFile(precious, []byte("work"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(m.dir(id), 0o700); err != nil {
		t.Fatal(err)
	}
	_, _, err = m.mountSources(id, spec.Container{
		Caller: spec.Owner{UID: 4711, GID: 4711},
		Mounts: []spec.Mount{{Source: work, Owned: true}, {Source: precious, Owned: true}},
	}, Identity{})
	if err != nil {
		t.Fatal(err)
	}
	if found := take(t); !strings.Contains(found.String(), "mount "+m.cfg.Mounts) {
		t.Fatalf("no mount to remove in\n%s", found)
	}
	if kept, err := m.Reap(t.Context()); err != nil || len(kept) != 0 {
		t.Errorf("kept %v, error %v", kept, err)
	}
	if text, err := os.ReadFile(precious); string(text) != "work" {
		t.Errorf("the user's file holds %q, error %v", text, err)
	}
	if _, err := service.Stat(ctx, "foreign"); err != nil {
		t.Errorf("a snapshot of somebody else: %v", err)
	}
	record(t, "foreign")
}

func TestMountsOfOthersStayOutOfTheHost(t *testing.T) {
	census(t)
	m := New(config())
	work := t.TempDir()
	made := create(t, m, func(c *spec.Container) {
		c.Caller = spec.Owner{UID: 4711, GID: 4711}
		c.Mounts = []spec.Mount{{Source: work, Target: "/app", Owned: true}}
	})
	for _, line := range take(t) {
		if strings.HasPrefix(line, "mount "+m.cfg.Mounts) {
			t.Errorf("while the container runs the host has %s", line)
		}
	}
	remove(t, m, made.ID)
}

// groups returns the control groups made for a container.
func groups(t *testing.T, id string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "wr-"+id {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// kill9 ends a container's agent behind the engine's back.
func kill9(t *testing.T, c *Container) {
	t.Helper()
	ctx := namespaces.WithNamespace(context.Background(), engine.Namespace)
	task, err := record(t, c.ID).Task(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := kill(ctx, task); err != nil {
		t.Fatal(err)
	}
}
