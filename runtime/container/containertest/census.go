//go:build linux && engine

package containertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/wr-build/wr/runtime/engine"
)

// Census is everything that a container can leave behind, a line each.
type Census []string

// Take counts containers, tasks, leases, snapshots that are not layers,
// mounts below the run directory of an engine, files of containers, and shims
// that mention the run directory on their command line.
func Take(ctx context.Context, c *client.Client, dirs engine.Dirs) (Census, error) {
	var out Census
	add := func(kind, what string) { out = append(out, kind+" "+what) }
	records, err := c.ContainerService().List(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		add("container", r.ID)
	}
	held, err := c.LeasesService().List(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range held {
		add("lease", l.ID)
	}
	err = c.SnapshotService("overlayfs").Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		if info.Kind != snapshots.KindCommitted {
			add("snapshot", info.Name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := walk(dirs, add); err != nil {
		return nil, err
	}
	slices.Sort(out)
	return out, nil
}

// walk adds mounts, files and processes.
func walk(dirs engine.Dirs, add func(kind, what string)) error {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], dirs.Run+"/") {
			add("mount", f[4])
		}
	}
	bundles := filepath.Join(dirs.ContainerdState(), "io.containerd.runtime.v2.task", "*")
	for _, dir := range []string{dirs.Containers(), dirs.Mounts(), dirs.Shims(), filepath.Join(dirs.RuncRoot(), "*"), bundles} {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			return err
		}
		for _, f := range files {
			add("file", f)
		}
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, path := range commands {
		line, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(line), "containerd-shim") && strings.Contains(string(line), dirs.Run+"/") {
			add("process", strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return nil
}

// Minus returns what is in c and not in before.
func (c Census) Minus(before Census) Census {
	return slices.DeleteFunc(slices.Clone(c), func(line string) bool { return slices.Contains(before, line) })
}

// settleTime is how long what has ended may take to be removed.
const settleTime = 10 * time.Second

// Settled takes stock until nothing is there that was not there before, and
// returns what is still left after a bounded time. Why it waits: the engine
// answers a client when its container has ended, and removes the rest then.
func Settled(before Census, take func() (Census, error)) (Census, error) {
	timeout := time.After(settleTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := take()
		left := now.Minus(before)
		if err != nil || len(left) == 0 {
			return nil, err
		}
		select {
		case <-timeout:
			return left, nil
		case <-tick.C:
		}
	}
}

// String gives a line for each thing.
func (c Census) String() string { return fmt.Sprint(strings.Join(c, "\n")) }
