package local_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/local"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// run runs a shell command and returns how it ended and what it wrote.
func run(ctx context.Context, t *testing.T, c spec.Container, p spec.Process) (spec.Exit, string, error) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	exit, runErr := local.Runner{}.Run(ctx, c, p, spec.Stdio{Out: out, Err: out})
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return exit, string(text), runErr
}

func sh(script string, args ...string) spec.Process {
	return spec.Process{Args: append([]string{"sh", "-c", script, "sh"}, args...), Dir: "/"}
}

func TestAProcessEndsWithItsOwnCode(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]spec.Exit{
		"true": {}, "exit 7": {Code: 7}, "kill -9 $$": {Code: 137, Signal: 9}, "kill -2 $$": {Code: 130, Signal: 2},
	} {
		got, _, err := run(t.Context(), t, spec.Container{}, sh(script))
		if got.Elapsed <= 0 {
			t.Errorf("%s took %v", script, got.Elapsed)
		}
		got.Elapsed = 0
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", script, got, err, want)
		}
	}
}

func TestTheEnvironmentIsOursThenTheContainersThenTheProcesss(t *testing.T) {
	t.Setenv("OURS", "wr")
	t.Setenv("THEIRS", "wr")
	t.Setenv("ITS", "wr")
	p := sh("echo $OURS $THEIRS $ITS $PWD")
	p.Env, p.Dir = []string{"ITS=process"}, t.TempDir()
	_, out, err := run(t.Context(), t, spec.Container{Env: []string{"THEIRS=container", "ITS=container"}}, p)
	if want := "wr container process " + p.Dir + "\n"; err != nil || out != want {
		t.Errorf("got %q, %v, want %q", out, err, want)
	}
}

func TestACommandIsFoundInItsOwnPATH(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"tool": 0o755, "data": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho found\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	p := spec.Process{Args: []string{"tool"}, Env: []string{"PATH=/nowhere:" + dir}, Dir: "/"}
	if _, out, err := run(t.Context(), t, spec.Container{}, p); err != nil || out != "found\n" {
		t.Errorf("got %q, %v", out, err)
	}
	p = spec.Process{Args: []string{"./tool"}, Dir: dir}
	if _, out, err := run(t.Context(), t, spec.Container{}, p); err != nil || out != "found\n" {
		t.Errorf("beside it: %q, %v", out, err)
	}
	for name, code := range map[string]string{
		"no-such-tool": "exec.not_found", "data": "exec.not_executable", dir + "/none": "exec.not_found", dir + "/data": "exec.not_executable",
	} {
		p := spec.Process{Args: []string{name}, Env: []string{"PATH=" + dir}, Dir: "/"}
		if _, _, err := run(t.Context(), t, spec.Container{}, p); !fault.HasCode(err, code) {
			t.Errorf("%s: got %v, want %s", name, err, code)
		}
	}
	if _, _, err := run(t.Context(), t, spec.Container{}, spec.Process{Args: []string{"sh"}, Dir: "/no/such/dir"}); !fault.HasCode(err, "exec.not_found") {
		t.Errorf("in no directory: %v", err)
	}
}

func TestACancelledProcessGetsAMomentAndIsKilled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ script, want string }{
		"one that obeys":   {`trap 'echo bye; exit 3' INT; echo ready >"$1"; while :; do sleep 0.1; done`, "bye\n"},
		"one that ignores": {`trap '' INT; echo ready >"$1"; while :; do sleep 0.1; done`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			why := errors.New("why")
			ctx, cancel := context.WithCancelCause(t.Context())
			ready := fifo(t)
			go func() {
				_, _ = os.ReadFile(ready)
				cancel(why)
			}()
			began := time.Now()
			_, out, err := run(ctx, t, spec.Container{}, sh(c.script, ready))
			if !errors.Is(err, why) || out != c.want {
				t.Errorf("got %q, %v, want %q", out, err, c.want)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	ended, cancel := context.WithCancelCause(t.Context())
	why := errors.New("before")
	cancel(why)
	if _, _, err := run(ended, t, spec.Container{}, sh("true")); !errors.Is(err, why) {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestNothingIsLeftOfAProcess waits for the end of a file that a process in the
// background holds open.
func TestNothingIsLeftOfAProcess(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	exit, err := local.Runner{}.Run(t.Context(), spec.Container{}, sh("sleep 1000 & exit 5"), spec.Stdio{Out: w})
	if err != nil || exit.Code != 5 {
		t.Errorf("got %+v, %v", exit, err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("something holds its output open: %v", err)
	}
}

func TestWhatItCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	for _, p := range []spec.Process{{Detached: true}, {Ports: []spec.Port{{Container: 80}}}} {
		p.Args = []string{"true"}
		if _, _, err := run(t.Context(), t, spec.Container{}, p); err == nil || !strings.Contains(err.Error(), "local.unsupported") {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// fifo is a pipe with a name, which a script can say by that it is ready.
func fifo(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ready")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
