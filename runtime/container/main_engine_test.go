//go:build linux && engine

package container

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
)

const testImage = "docker.io/test/tester:latest"

// The daemons of this test process, and the programs it built.
var (
	daemons  *engine.Daemons
	programs containertest.Helpers
)

func TestMain(m *testing.M) {
	os.Exit(containertest.Guard(context.Background(), m, func(m *testing.M) int {
		code, err := withEngine(m.Run)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}))
}

// withEngine runs tests beside an engine of their own.
func withEngine(tests func() int) (code int, err error) {
	base := containertest.Base()
	if programs, err = containertest.Build(context.Background(), base); err != nil {
		return 0, err
	}
	ctx := context.Background()
	daemons, err = engine.Open(ctx, engine.Config{
		Dirs:    engine.Dirs{State: filepath.Join(base, "state"), Run: filepath.Join(base, "run")},
		Helpers: base, Runc: programs.Runc, Version: "test",
	})
	if err != nil {
		return 0, err
	}
	defer daemons.Close()
	err = containertest.Import(ctx, daemons.Containerd(), testImage, ocispec.ImageConfig{
		Env: []string{"PATH=/bin"}, User: "tester", StopSignal: "SIGQUIT",
	})
	if err != nil {
		return 0, err
	}
	return tests(), nil
}

// config is what the daemons of this process give.
func config() Config {
	dirs := daemons.Dirs()
	return Config{
		Client: daemons.Containerd(), Shim: programs.Shim, Runc: programs.Runc, Agent: programs.Agent,
		Files: dirs.Containers(), Mounts: dirs.Mounts(), RuncRoot: dirs.RuncRoot(),
		Shims: dirs.Shims(), Address: dirs.ContainerdSocket(),
		CgroupParent: daemons.CgroupParent(),
	}
}

// census takes stock now; at the test's end nothing more may be there.
func census(t *testing.T) {
	t.Helper()
	before := take(t)
	t.Cleanup(func() {
		if left := take(t).Minus(before); len(left) > 0 {
			t.Errorf("left behind:\n%s", left)
		}
	})
}

func take(t *testing.T) containertest.Census {
	t.Helper()
	out, err := containertest.Take(context.Background(), daemons.Containerd(), containertest.Scope{Dirs: daemons.Dirs()})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// create makes a container of the test image for this process.
func create(t *testing.T, m *Manager, change ...func(*spec.Container)) *Container {
	t.Helper()
	c := spec.Container{Image: testImage, Hostname: "box", Network: spec.NetworkNone}
	for _, f := range change {
		f(&c)
	}
	made, err := m.Create(t.Context(), Process(os.Getpid(), os.Getuid()), image(t, m), c)
	if made != nil {
		t.Cleanup(func() { remove(t, m, made.ID) }) // again, if the test has done it
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// image is the test image as m finds it.
func image(t *testing.T, m *Manager) *Image {
	t.Helper()
	found, err := m.Image(t.Context(), testImage)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// remove removes a container and must succeed.
func remove(t *testing.T, m *Manager, id string) {
	t.Helper()
	if err := m.Remove(context.Background(), id); err != nil {
		t.Error(err)
	}
}

// ended is an owner that does not live.
func ended() Owner { return Owner{PID: os.Getpid(), Start: 1} }

// record loads a container as containerd knows it.
func record(t *testing.T, id string) client.Container {
	t.Helper()
	c, err := daemons.Containerd().LoadContainer(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
