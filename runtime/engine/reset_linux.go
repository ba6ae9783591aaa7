package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// Reset ends what an engine that died has left and puts its images and caches
// aside. It returns where they are, to be deleted; Aside finds them, too, when
// nobody does. No engine may run: the fault engine.held says which one does.
func Reset(ctx context.Context, dirs Dirs, runc string, now time.Time) (aside string, err error) {
	if err := dirs.Validate(); err != nil {
		return "", err
	}
	if err := makeDir(dirs.State, 0o700, -1); err != nil {
		return "", err
	}
	lock, err := acquire(Hold{PID: os.Getpid(), Since: now.UTC(), Dirs: dirs})
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := dirs.makeDirs(access{gid: -1}); err != nil {
		return "", err
	}
	if runc, err = findRunc(Config{Runc: runc}); err != nil {
		return "", err
	}
	if err := errors.Join(sweepContainers(ctx, dirs, runc), sweepBuilds(ctx, dirs, runc)); err != nil {
		return "", err
	}
	if err := dirs.unmount(); err != nil {
		return "", err
	}
	if aside, err = moveAside(dirs, now); err != nil {
		return "", err
	}
	return aside, dirs.removeTraces()
}

// perContainer are the directories that hold nothing but what belongs to
// containers.
func (d Dirs) perContainer() []string {
	return []string{d.ContainerdState(), d.Shims(), d.Mounts(), d.RuncRoot(), d.BuildRuncRoot(), d.TempMounts(), d.Containers()}
}

// unmount takes down all that is mounted where containers have their own, and
// fails if anything still is: it may be a user's files, and what follows deletes.
func (d Dirs) unmount() error {
	var errs []error
	for _, dir := range d.perContainer() {
		errs = append(errs, mount.UnmountRecursive(dir, unix.MNT_DETACH))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("unmount what containers left: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		for _, dir := range append(d.perContainer(), d.ContainerdRoot(), d.BuildkitRoot()) {
			if fields[4] == dir || strings.HasPrefix(fields[4], dir+"/") {
				return fmt.Errorf("%s is still mounted", fields[4])
			}
		}
	}
	return nil
}

// removeTraces removes the files of containers. Nothing is mounted there.
func (d Dirs) removeTraces() error {
	var errs []error
	for _, dir := range d.perContainer() {
		entries, err := os.ReadDir(dir)
		errs = append(errs, err)
		for _, e := range entries {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
