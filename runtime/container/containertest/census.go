//go:build linux && engine

package containertest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/wr-build/wr/runtime/engine"
)

// Census is everything that an engine can leave behind, a line each, sorted.
// Equal things have a number after the first, so that one more of them shows.
type Census []string

// Scope is where a census looks for what is an engine's.
type Scope struct {
	Dirs engine.Dirs
	// Group is the control group in which the engine was started. All groups and
	// processes below it are the engine's. Without one of its own, groups are not
	// counted and processes are the shims that name Dirs.Run.
	Group Cgroup
	// Temp is the TMPDIR of the engine and its clients; "" = not theirs alone.
	Temp string
}

// counter adds what it finds to a census.
type counter struct {
	Scope
	client *client.Client
	lines  Census
}

// Take counts what there is of containers and builds: in containerd their
// records, leases and snapshots that are not layers; on disk what is mounted or
// lies where they keep something; and processes, control groups, network
// namespaces and loop devices.
func Take(ctx context.Context, c *client.Client, of Scope) (Census, error) {
	t := &counter{Scope: of, client: c}
	err := errors.Join(
		t.records(ctx), t.snapshots(ctx),
		t.mounts(), t.files(), t.temporary(), t.loops(),
		t.groups(), t.processes(),
	)
	return t.lines.numbered(), err
}

func (t *counter) add(kind, what string) { t.lines = append(t.lines, kind+" "+what) }

// records adds what containerd knows beside snapshots.
func (t *counter) records(ctx context.Context) error {
	records, err := t.client.ContainerService().List(ctx)
	for _, r := range records {
		t.add("container", r.ID)
	}
	held, errLeases := t.client.LeasesService().List(ctx)
	for _, l := range held {
		t.add("lease", l.ID)
	}
	return errors.Join(err, errLeases)
}

// snapshots adds those that are not layers, and directories of snapshots that
// have no record in any namespace.
func (t *counter) snapshots(ctx context.Context) error {
	spaces, err := t.client.NamespaceService().List(ctx)
	if err != nil {
		return err
	}
	known := 0
	for _, space := range spaces {
		in := namespaces.WithNamespace(ctx, space)
		err := t.client.SnapshotService("overlayfs").Walk(in, func(_ context.Context, info snapshots.Info) error {
			known++
			if space == t.client.DefaultNamespace() && info.Kind != snapshots.KindCommitted {
				t.add("snapshot", info.Name)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	n, err := t.snapshotDirs()
	if err == nil && n > known {
		// What is removed stays until containerd collects its garbage.
		if err = t.collect(ctx); err == nil {
			n, err = t.snapshotDirs()
		}
	}
	for range n - known {
		t.add("snapshot", "without a record")
	}
	return err
}

// snapshotDirs counts the directories of snapshots.
func (t *counter) snapshotDirs() (int, error) {
	there, err := os.ReadDir(filepath.Join(t.Dirs.ContainerdRoot(), "io.containerd.snapshotter.v1.overlayfs", "snapshots"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	return len(there), err
}

// collect makes containerd collect its garbage, and waits for it.
func (t *counter) collect(ctx context.Context) error {
	l, err := t.client.LeasesService().Create(ctx, leases.WithRandomID())
	if err != nil {
		return err
	}
	return t.client.LeasesService().Delete(ctx, l, leases.SynchronousDelete)
}

// mounts adds what is mounted below the directories of the engine.
func (t *counter) mounts() error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		f := strings.Fields(line)
		if len(f) > 4 && (strings.HasPrefix(f[4], t.Dirs.Run+"/") || strings.HasPrefix(f[4], t.Dirs.State+"/")) {
			t.add("mount", f[4])
		}
	}
	return err
}

// files adds what lies where the files of containers and builds lie.
func (t *counter) files() error {
	d := t.Dirs
	var errs []error
	for _, dir := range []string{
		d.Containers(), d.Mounts(), d.Shims(), d.TempMounts(), d.BuildRuncRoot(),
		filepath.Join(d.RuncRoot(), "*"),
		filepath.Join(d.ContainerdState(), "io.containerd.runtime.v2.task", "*"),
		filepath.Join(d.ContainerdRoot(), "io.containerd.runtime.v2.task", "*"),
		filepath.Join(d.ContainerdRoot(), "io.containerd.content.v1.content", "ingest"),
		filepath.Join(d.BuildkitRoot(), "executor", "*"), // beside them are files for all
	} {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		errs = append(errs, err)
		for _, f := range files {
			t.add("file", f)
		}
	}
	return errors.Join(errs...)
}

// temporary adds all temporary files.
func (t *counter) temporary() error {
	if t.Temp == "" {
		return nil
	}
	return filepath.WalkDir(t.Temp, func(path string, _ os.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil // gone meanwhile
		}
		if path != t.Temp {
			t.add("file", path)
		}
		return err
	})
}

// loops adds the loop devices of files of the engine.
func (t *counter) loops() error {
	devices, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, device := range devices {
		file, _ := os.ReadFile(device) // it may be gone meanwhile
		if strings.HasPrefix(string(file), t.Dirs.Run+"/") || strings.HasPrefix(string(file), t.Dirs.State+"/") {
			t.add("loop", strings.TrimSpace(string(file)))
		}
	}
	return err
}

// groups adds the control groups below that of the engine.
func (t *counter) groups() error {
	groups, err := t.Group.Below()
	for _, g := range groups {
		t.add("cgroup", g)
	}
	return err
}

// numbered sorts and numbers what is there more than once.
func (c Census) numbered() Census {
	slices.Sort(c)
	seen := make(map[string]int)
	for i, line := range c {
		if seen[line]++; seen[line] > 1 {
			c[i] = fmt.Sprintf("%s (%d)", line, seen[line])
		}
	}
	return c
}

// Minus returns what is in c and not in before.
func (c Census) Minus(before Census) Census {
	return slices.DeleteFunc(slices.Clone(c), func(line string) bool { return slices.Contains(before, line) })
}

// settleTime is how long nothing may go while there is something left to be
// removed.
const settleTime = 10 * time.Second

// Settled takes stock until nothing is there that was not there before, and
// returns what is still left when nothing of it has gone for some time. Why it
// waits: the engine answers a client when its container has ended, and removes
// the rest then.
func Settled(before Census, take func() (Census, error)) (Census, error) {
	timeout := time.NewTimer(settleTime)
	defer timeout.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for least := math.MaxInt; ; {
		now, err := take()
		left := now.Minus(before)
		if err != nil || len(left) == 0 {
			return nil, err
		}
		if len(left) < least {
			least = len(left)
			timeout.Reset(settleTime)
		}
		select {
		case <-timeout.C:
			return left, nil
		case <-tick.C:
		}
	}
}

// String gives a line for each thing.
func (c Census) String() string { return fmt.Sprint(strings.Join(c, "\n")) }
