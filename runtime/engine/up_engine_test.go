//go:build linux && engine

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAGroupMayUseTheEngine(t *testing.T) {
	group, err := user.LookupGroup("nogroup")
	if err != nil {
		t.Fatal(err)
	}
	gid, _ := strconv.Atoi(group.Gid)
	dirs := engineDirs(t)
	if err := os.Chmod(filepath.Dir(dirs.Run), 0o755); err != nil {
		t.Fatal(err)
	}
	mustUp(t, dirs, "WR_TEST_GROUP=nogroup")
	wantMode(t, dirs.Run, 0o750, gid)
	wantMode(t, dirs.State, 0o700, os.Getgid())
	for _, path := range []string{dirs.ContainerdSocket(), dirs.BuildkitSocket(), dirs.APISocket()} {
		wantMode(t, path, 0o660, gid)
	}
	wantMode(t, dirs.ShimSocket(), 0o600, os.Getgid())
	if code, out := upAs(t, dirs, 12345, gid); code != 0 {
		t.Errorf("a member got exit code %d: %s", code, out)
	}
	if code, out := upAs(t, dirs, 12345, 12345); code != 1 || !strings.Contains(out, "engine.denied") {
		t.Errorf("a stranger got exit code %d: %s", code, out)
	}
}

func TestAUserWithoutRightsIsToldWhatToDo(t *testing.T) {
	dirs := engineDirs(t)
	if err := os.Chmod(filepath.Dir(dirs.Run), 0o755); err != nil {
		t.Fatal(err)
	}
	if code, out := upAs(t, dirs, 12345, 12345); code != 1 || !strings.Contains(out, "engine.denied") {
		t.Errorf("without an engine: got exit code %d: %s", code, out)
	}
	if f := denied("", nil); !strings.Contains(f.Next, "sudo wr engine up --group") {
		t.Errorf("got next %q", f.Next)
	}
}

// upAs calls Up as another user.
func upAs(t *testing.T, dirs Dirs, uid, gid int) (int, string) {
	t.Helper()
	// A user cannot read the test binary where go test puts it.
	exe := filepath.Join(filepath.Dir(dirs.Run), "up")
	if !exists(exe) {
		text, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(exe, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), modeEnv+"=up", "WR_ENGINE_DIR="+filepath.Dir(dirs.Run))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func TestASecondEngineIsToldWhoHoldsTheDirectories(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs)
	_, err := Open(t.Context(), Config{Dirs: dirs})
	if f := fault.Of(err); f == nil || f.Code != "engine.held" || !strings.Contains(f.Message, fmt.Sprintf("pid %d since 20", pid)) {
		t.Errorf("got %v, want engine.held that names pid %d", err, pid)
	}
	if _, err := ctr(t, dirs).Version(t.Context()); err != nil {
		t.Errorf("the first engine is disturbed: %v", err)
	}
}

func TestConcurrentUpsEndWithOneEngine(t *testing.T) {
	dirs := engineDirs(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := up(t, dirs); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h, held := Holder(dirs)
	if !held {
		t.Fatal("no engine")
	}
	// Each loser has said so and gone: the sockets are the winner's.
	if _, err := ctr(t, dirs).Version(t.Context()); err != nil {
		t.Error(err)
	}
	start := time.Now()
	if err := up(t, dirs); err != nil {
		t.Error(err)
	}
	t.Logf("up while it runs: %s", time.Since(start))
	if again, _ := Holder(dirs); again != h {
		t.Errorf("another engine took over: %+v after %+v", again, h)
	}
}

func TestAnEngineThatDiesAtItsStartIsExplained(t *testing.T) {
	dirs := engineDirs(t)
	err := up(t, dirs, modeEnv+"=die")
	if f := fault.Of(err); f.Code != "engine.start_failed" || !strings.Contains(f.Details, "the last words of an engine") {
		t.Errorf("got %+v", f)
	}
}

func TestUpStopsWaitingWhenItsCallerDoes(t *testing.T) {
	dirs := engineDirs(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for range 2 { // One waits for its own engine, the other for that of the first.
		go func() {
			done <- Up(ctx, Start{Dirs: dirs, Args: []string{}, Env: append(os.Environ(), modeEnv+"=hang")})
		}()
	}
	await(t, "engine that hangs", func() bool {
		h, held := Holder(dirs)
		return held && h.PID != 0
	})
	cancel()
	for range 2 {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want canceled", err)
		}
	}
}

func TestAFaultOfTheEngineReachesTheCaller(t *testing.T) {
	dirs := engineDirs(t)
	err := up(t, dirs, "WR_TEST_GROUP=no-such-group")
	if f := fault.Of(err); f.Code != "engine.unknown_group" || f.Class != fault.Usage {
		t.Errorf("got %+v", f)
	}
}

func TestABigLogIsPutAside(t *testing.T) {
	dirs := engineDirs(t)
	overwrite(t, dirs.Log(), make([]byte, maxLog+1))
	mustUp(t, dirs)
	info, err := os.Stat(dirs.Log() + ".1")
	if err != nil || info.Size() != maxLog+1 {
		t.Errorf("got %v, %v", info, err)
	}
	if text := readLog(t, dirs); len(text) > 1<<20 {
		t.Errorf("the log has %d bytes", len(text))
	}
}
