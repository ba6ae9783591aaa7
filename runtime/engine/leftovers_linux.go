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

// deleteAll kills and forgets every container that the OCI runtime has under
// root.
func deleteAll(ctx context.Context, runc, root string) error {
	found, err := os.ReadDir(root)
	if err != nil {
		return fmt.Errorf("sweep containers: %w", err)
	}
	var errs []error
	for _, c := range found {
		if err := deleteOne(ctx, runc, root, c.Name()); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// deleteOne kills and forgets one container, or fails within a bounded time.
func deleteOne(ctx context.Context, runc, root, id string) error {
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
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, path := range processes {
		if args, err := os.ReadFile(path); err != nil || !isShim(args, dirs) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			errs = append(errs, unix.Kill(pid, unix.SIGKILL))
		}
	}
	return errors.Join(errs...)
}

// isShim reports whether a command line is that of a shim of this engine.
func isShim(cmdline []byte, dirs Dirs) bool {
	args := strings.Split(string(cmdline), "\x00")
	at := slices.Index(args, "-address")
	return slices.Contains(args, "-id") && at >= 0 && at+1 < len(args) && args[at+1] == dirs.ContainerdSocket()
}
