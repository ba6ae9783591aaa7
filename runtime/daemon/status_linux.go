package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
	"github.com/wr-build/wr/runtime/spec"
)

// countTime bounds the walk over the state directory.
const countTime = time.Second

// status says how this engine is.
func (s *server) status(ctx context.Context) (Status, error) {
	all, err := s.describe(ctx)
	if err != nil {
		return Status{}, err
	}
	dirs, cgroups := s.cfg.Dirs, s.daemons.Cgroups()
	size, whole := diskUsage(ctx, dirs.State)
	containerd, buildkit := engine.Versions()
	return Status{
		Version: s.cfg.Version, Protocol: Protocol, PID: os.Getpid(), Since: s.since.UTC(),
		How: "started", Why: "wr runs an engine of its own, and this one holds the lock of " + dirs.State,
		StateDir: dirs.State, RunDir: dirs.Run,
		Sockets:    Sockets{API: dirs.APISocket(), Containerd: dirs.ContainerdSocket(), BuildKit: dirs.BuildkitSocket()},
		Containerd: containerd, BuildKit: buildkit,
		StateSize: size, Partial: !whole, Memory: residentMemory(),
		Cgroups: Cgroups{Mode: string(cgroups.Mode), Controllers: append([]string{}, cgroups.Controllers...)},
		Helpers: s.programs(), Builds: s.daemons.Builds(), Containers: all,
		Warnings: s.daemons.Warnings(),
	}, nil
}

// describe lists the containers that have not ended and that somebody uses or
// may use again.
func (s *server) describe(ctx context.Context) ([]Container, error) {
	all, err := s.containers.List(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Container, 0, len(all))
	for _, c := range all {
		line := Container{
			ID: c.ID, Workspace: c.Labels["wr.workspace"], Project: c.Labels["wr.project"], Container: c.Labels["wr.image"], Run: c.Labels["wr.run"], Image: c.Image, Users: 1,
			Owner: c.Owner.PID, UID: c.Owner.UID, Since: c.Created,
		}
		if role := c.Labels[container.LabelRole]; role != "" {
			w, ok := s.pool.find(c.ID)
			if !ok {
				continue // it is being made or removed
			}
			line.Role, line.Users, line.Used = w.role, w.users, w.used
		}
		if !c.Ended {
			out = append(out, line)
		}
	}
	return out, nil
}

// askTime bounds the wait for an agent's word on what runs.
const askTime = time.Second

// list is describe with the commands that run in containers that are kept.
func (s *server) list(ctx context.Context) ([]Container, error) {
	all, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var asking sync.WaitGroup
	for i, c := range all {
		w, ok := s.pool.find(c.ID)
		if !ok || c.Users == 0 || c.Role == spec.RoleTest { // there the agent knows no command lines
			continue
		}
		asking.Go(func() {
			running, err := s.ask(ctx, w.Container, agent.Query{})
			if err != nil {
				return // it ends just now
			}
			for _, line := range running.Commands {
				all[i].Commands = append(all[i].Commands, line.String())
			}
		})
	}
	asking.Wait()
	return all, nil
}

// describeHelpers asks each helper for its version, which takes a process each.
func describeHelpers(ctx context.Context, set helper.Set) Helpers {
	var out Helpers
	var asked sync.WaitGroup // at once, so that those that hang cost their time once
	for to, from := range map[*Helper]helper.Helper{&out.Shim: set.Shim, &out.Agent: set.Agent, &out.Runc: set.Runc} {
		asked.Go(func() {
			version, err := from.Version(ctx)
			if err != nil {
				log.G(ctx).WithError(err).Warn("a helper does not tell its version")
				version = "unknown"
			}
			*to = Helper{Path: from.Path, Version: version, Source: string(from.Source)}
		})
	}
	asked.Wait()
	return out
}

// diskUsage returns the bytes that the files below dir take on disk, and
// whether all could be counted, and in time. A file with several names counts once
// for each, as does a sparse file by what it holds only.
func diskUsage(ctx context.Context, dir string) (size int64, whole bool) {
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	size, err := countFiles(ctx, dir)
	return size, err == nil
}

// countFiles is diskUsage for as long as ctx allows.
func countFiles(ctx context.Context, dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, _ error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if d == nil {
			return nil // Gone meanwhile.
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			size += stat.Blocks * 512
		}
		return nil
	})
	return size, err
}

// residentMemory returns the bytes of memory that this process holds, or 0.
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
