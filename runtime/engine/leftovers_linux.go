package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// deleteTime is how long the OCI runtime may take to delete a container: it
// waits ten seconds for its processes to die.
const deleteTime = 20 * time.Second

// sweepBuilds removes what the build steps of an engine that died have left:
// processes, mounts, bundles.
func sweepBuilds(ctx context.Context, dirs Dirs, runc string) error {
	err := deleteAll(ctx, runc, dirs.BuildRuncRoot())
	if _, statErr := os.Stat(dirs.executorRoot()); errors.Is(statErr, fs.ErrNotExist) {
		return err // No build ever ran.
	}
	// Bundles hold the mounted layers themselves: nothing is deleted before
	// all of them are unmounted.
	if unmountErr := mount.UnmountRecursive(dirs.BuildkitRoot(), unix.MNT_DETACH); unmountErr != nil {
		return errors.Join(err, fmt.Errorf("sweep builds: %w", unmountErr))
	}
	return errors.Join(err, os.RemoveAll(dirs.executorRoot()))
}

// sweepBundles removes the bundles of containers that an engine which died was
// just removing. containerd hides such a directory first, when nothing is
// mounted in it any more, and looks at no hidden one when it starts.
func sweepBundles(dirs Dirs) error {
	var errs []error
	for _, root := range []string{dirs.ContainerdState(), dirs.ContainerdRoot()} {
		hidden, err := filepath.Glob(filepath.Join(root, "io.containerd.runtime.v2.task", "*", ".?*"))
		errs = append(errs, err)
		for _, bundle := range hidden {
			errs = append(errs, os.RemoveAll(bundle))
		}
	}
	return errors.Join(errs...)
}

// deleteAll kills and forgets every container that the OCI runtime has under
// root.
func deleteAll(ctx context.Context, runc, root string) error {
	found, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("sweep containers: %w", err)
	}
	var errs []error
	for _, c := range found {
		if err := DeleteContainer(ctx, runc, root, c.Name()); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// DeleteContainer has the OCI runtime kill and forget a container that it has
// under root, or fails within a bounded time.
func DeleteContainer(ctx context.Context, runc, root, id string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, deleteTime, fmt.Errorf("%s needs longer than %v", runc, deleteTime))
	defer cancel()
	command := exec.CommandContext(ctx, runc, "--root", root, "delete", "--force", id)
	command.WaitDelay = time.Second // A child of it may hold its output open.
	out, err := command.CombinedOutput()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("sweep container %s: %w: %s", id, err, out)
	}
	return nil
}

// sweepContainers ends the containers that lived when the state was found
// damaged: nothing knows them any more. Their shims are killed, so that
// containerd finds them dead and removes mounts and bundles.
func sweepContainers(ctx context.Context, dirs Dirs, runc string) error {
	spaces, err := os.ReadDir(dirs.RuncRoot())
	if err != nil {
		return fmt.Errorf("sweep containers: %w", err)
	}
	var errs []error
	for _, space := range spaces {
		errs = append(errs, deleteAll(ctx, runc, filepath.Join(dirs.RuncRoot(), space.Name())))
	}
	return errors.Join(append(errs, KillShims(dirs.ContainerdSocket(), ""))...)
}

// KillShims kills the shims that were started for containerd at address: that
// of container id, or all when id is empty.
func KillShims(address, id string) error {
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range processes {
		if args, err := os.ReadFile(path); err != nil || !isShim(args, address, id) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil {
			err = unix.Kill(pid, unix.SIGKILL)
		}
		if !errors.Is(err, unix.ESRCH) { // it has ended just now
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// isShim reports whether a command line is that of such a shim.
func isShim(cmdline []byte, address, id string) bool {
	args := strings.Split(string(cmdline), "\x00")
	after := func(flag string) string {
		if at := slices.Index(args, flag); at >= 0 && at+1 < len(args) {
			return args[at+1]
		}
		return ""
	}
	return after("-address") == address && after("-id") != "" && (id == "" || after("-id") == id)
}
