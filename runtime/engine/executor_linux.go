package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/log"
	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/resources"
	resourcestypes "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/executor/runcexecutor"
	"github.com/moby/buildkit/identity"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/sys/userns"
)

// executor runs build steps. Its runtime keeps its state below Run, so that
// what a killed engine leaves behind can be found again; BuildKit offers no
// way to say so but a command of its own.
func (m controllerMaker) executor(monitor *resources.Monitor, networks map[pb.NetMode]network.Provider) (executor.Executor, error) {
	command := filepath.Join(m.dirs.BuildkitRoot(), "runc")
	script := fmt.Sprintf("#!/bin/sh\nexec %s --root %s \"$@\"\n", quote(m.runc), quote(m.dirs.BuildRuncRoot()))
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		return nil, err
	}
	steps, err := runcexecutor.New(runcexecutor.Opt{
		Root:                m.dirs.executorRoot(),
		CommandCandidates:   []string{command},
		DefaultCgroupParent: m.cgroups.buildParent(),
		Rootless:            userns.RunningInUserNS(),
		ResourceMonitor:     monitor, // nil would be a panic at the first step
	}, networks)
	return tidyExecutor{Executor: steps, runc: m.runc, root: m.dirs.BuildRuncRoot(), cgroups: m.cgroups}, err
}

// tidyExecutor leaves nothing of a build step. BuildKit takes an OCI runtime
// that has ended for the end of the step; one that was killed leaves the step
// running, for which nobody waits any more.
type tidyExecutor struct {
	executor.Executor
	runc, root string
	cgroups    Cgroups
}

// Run implements executor.Executor.
//
//nolint:revive // BuildKit says how many arguments it has
func (e tidyExecutor) Run(ctx context.Context, id string, rootfs executor.Mount, mounts []executor.Mount, process executor.ProcessInfo, started chan<- struct{}) (resourcestypes.Recorder, error) {
	if id == "" {
		id = identity.NewID()
	}
	if err := executor.ValidContainerID(id); err != nil {
		return nil, err
	}
	used, err := e.Executor.Run(ctx, id, rootfs, mounts, process, started)
	if left := e.tidy(context.WithoutCancel(ctx), id); left != nil {
		log.G(ctx).WithError(left).Warn("a build step could not be removed")
	}
	return used, err
}

// tidy removes what the OCI runtime still knows of a step that has ended.
func (e tidyExecutor) tidy(ctx context.Context, id string) error {
	if _, err := os.Stat(filepath.Join(e.root, id)); err == nil {
		if err := DeleteContainer(ctx, e.runc, e.root, id); err != nil {
			return err
		}
	}
	return e.cgroups.Remove(e.cgroups.buildGroup(id))
}

// quote makes one word of a shell command.
func quote(word string) string {
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// executorRoot holds the bundles of build steps.
func (d Dirs) executorRoot() string { return filepath.Join(d.BuildkitRoot(), "executor") }
