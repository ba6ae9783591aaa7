//go:build linux && engine

package containertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// baseEnv names the directory below which one run of a test binary keeps the
// directories of its engines. All processes that it starts inherit it.
const baseEnv = "WR_TEST_BASE"

const (
	sweepTime  = time.Minute // bounds the removal of what a run left
	lastMoment = time.Second // is what a process has that ends by itself
)

// Base is where tests under Guard keep the directories of their engines.
func Base() string { return os.Getenv(baseEnv) }

// Env is a variable for an engine whose directories lie below base, itself
// below Base, by which Sweep knows its processes.
func Env(base string) string { return baseEnv + "=" + base }

// Guard runs tests in a process of their own, and then removes what they left
// and fails if it was anything. Why another process: no deferred function and
// no Cleanup runs after a panic of another goroutine, a test that takes too
// long, or a kill; shims and containers live on all the same.
func Guard(ctx context.Context, m *testing.M, tests func(*testing.M) int) int {
	if Base() != "" {
		return tests(m)
	}
	base, err := os.MkdirTemp("/tmp", "wr-") // short: sockets lie below
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Chmod(base, 0o711); err != nil { // clients may be other users
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Why never stopped: a second signal would end this process in the middle of
	// the sweep, and that has a limit of its own.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	code := again(ctx, base, signals)
	left, err := Sweep(ctx, base)
	if len(left) == 0 && err == nil {
		return code
	}
	fmt.Fprintf(os.Stderr, "the tests left behind, and it was removed (%v):\n%s\n", err, left)
	return max(code, 1)
}

// again runs this test binary with base and returns its exit code. Signals
// mean the tests, which see those of the terminal themselves.
func again(ctx context.Context, base string, signals <-chan os.Signal) int {
	runtime.LockOSThread() // Pdeathsig means the thread that started the process
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), Env(base))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			_ = cmd.Process.Signal(sig)
		case err := <-ended:
			if code := cmd.ProcessState.ExitCode(); code >= 0 {
				return code
			}
			fmt.Fprintln(os.Stderr, "the tests ended by", err)
			return 1
		}
	}
}

// Sweep ends and removes all that engines below base have left, and base, and
// returns what it was. It goes by what these directories and the environment
// of processes show, so it touches nothing of another engine.
func Sweep(ctx context.Context, base string) (Census, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTime)
	defer cancel()
	processes, errProcesses := killAll(ctx, base)
	containers, errContainers := deleteAll(ctx, base)
	mounts, errMounts := unmountAll(base)
	left := slices.Concat(processes, containers, mounts)
	if err := errors.Join(errProcesses, errContainers, errMounts); err != nil {
		return left, err // Deleting base now could delete what is still mounted there.
	}
	return left, os.RemoveAll(base)
}

// killAll kills the processes that inherited base, or have it in an argument,
// and do not end by themselves, and waits until they are gone.
func killAll(ctx context.Context, base string) (Census, error) {
	var left Census
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range processes {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() || !mentions(dir, base) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		killed, err := end(ctx, pid)
		if err != nil {
			return left, fmt.Errorf("kill process %d: %w", pid, err)
		}
		if killed {
			left = append(left, "process "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return left, nil
}

// mentions reports whether the process of a directory in /proc is one of base.
func mentions(dir, base string) bool {
	environment, errEnvironment := os.ReadFile(filepath.Join(dir, "environ"))
	command, errCommand := os.ReadFile(filepath.Join(dir, "cmdline"))
	if errors.Join(errEnvironment, errCommand) != nil {
		return false // gone meanwhile
	}
	text := "\x00" + string(environment) + "\x00" + string(command)
	for _, mark := range []string{Env(base) + "\x00", Env(base) + "/", base + "/"} {
		if strings.Contains(text, "\x00"+mark) {
			return true
		}
	}
	return false
}

// end waits a moment for a process to end, then kills it and waits until it is
// gone. An engine gives its lock back, and so counts as stopped, before its end.
func end(ctx context.Context, pid int) (killed bool, err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	moment, cancel := context.WithTimeout(ctx, lastMoment)
	defer cancel()
	if err := awaitEnd(moment, fd); err == nil {
		return false, nil
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return false, err
	}
	return true, awaitEnd(ctx, fd)
}

// awaitEnd waits for the end of the process of a pidfd.
func awaitEnd(ctx context.Context, fd int) error {
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10)
		if n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return ctx.Err()
}

// deleteAll kills and forgets the containers that the OCI runtime knows in base
// or one directory below it: run/runc/NAMESPACE/ID, and for build steps
// run/runc-build/ID.
func deleteAll(ctx context.Context, base string) (Census, error) {
	var states []string
	for _, pattern := range []string{"run/runc/*/*", "run/runc-build/*", "*/run/runc/*/*", "*/run/runc-build/*"} {
		found, err := filepath.Glob(filepath.Join(base, pattern, "state.json"))
		if err != nil {
			return nil, err
		}
		states = append(states, found...)
	}
	var left Census
	var errs []error
	for _, state := range states {
		dir := filepath.Dir(state)
		left = append(left, "container "+dir)
		out, err := exec.CommandContext(ctx, "runc", "--root", filepath.Dir(dir), "delete", "--force", filepath.Base(dir)).CombinedOutput()
		if err != nil {
			errs = append(errs, fmt.Errorf("delete container %s: %w: %s", dir, err, out))
		}
	}
	return left, errors.Join(errs...)
}

// unmountAll takes down what is mounted below base.
func unmountAll(base string) (Census, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var left Census
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 4 && strings.HasPrefix(f[4], base+"/") {
			left = append(left, "mount "+f[4])
		}
	}
	return left, mount.UnmountRecursive(base, unix.MNT_DETACH)
}
