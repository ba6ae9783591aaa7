//go:build linux && engine

package containertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sceneEnv makes this binary play the tests that leave something.
const sceneEnv = "WR_TEST_SCENE"

func TestMain(m *testing.M) {
	if os.Getenv(sceneEnv) != "" {
		os.Exit(Guard(context.Background(), m, leaving))
	}
	os.Exit(m.Run())
}

// leaving leaves a process that only SIGKILL ends, prints its id and the base,
// and waits to be ended.
func leaving(*testing.M) int {
	cmd := exec.Command("sh", "-c", `trap "" TERM; echo $$ "$WR_TEST_BASE"; exec sleep 1000`)
	cmd.Stdout, cmd.SysProcAttr = os.Stdout, &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

// keepInterrupting tells a process to end until ctx does.
func keepInterrupting(ctx context.Context, p *os.Process) {
	for tick := time.NewTicker(20 * time.Millisecond); ctx.Err() == nil; {
		select {
		case <-tick.C:
			_ = p.Signal(syscall.SIGTERM)
		case <-ctx.Done():
			tick.Stop()
		}
	}
}

// running reports whether a process is there and has not ended.
func running(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "\nState:\tZ")
}

// TestASweepIsNotEndedByASecondSignal interrupts a guard, and again and again
// while it waits for the process that was left.
func TestASweepIsNotEndedByASecondSignal(t *testing.T) {
	guard := exec.CommandContext(t.Context(), "/proc/self/exe")
	guard.Env = append(os.Environ(), sceneEnv+"=1")
	out, outErr := guard.StdoutPipe()
	said, saidErr := guard.StderrPipe()
	if err := errors.Join(outErr, saidErr, guard.Start()); err != nil {
		t.Fatal(err)
	}
	var pid int
	var base string
	if _, err := fmt.Fscan(out, &pid, &base); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	if err := guard.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	again, stop := context.WithCancel(t.Context())
	defer stop()
	var interrupting sync.WaitGroup
	var last string
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if last = lines.Text(); strings.HasPrefix(last, "the tests ended by") { // the sweep follows
			interrupting.Go(func() { keepInterrupting(again, guard.Process) })
		}
	}
	stop()
	interrupting.Wait()
	_ = guard.Wait()
	if got := guard.ProcessState.ExitCode(); got != 1 || !strings.HasPrefix(last, "process s") {
		t.Errorf("exit %d, and the last it said is %q", got, last)
	}
	if running(pid) {
		t.Error("the process still runs")
	}
	if _, err := os.Stat(base); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", base, err)
	}
}
