package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// newRooms are the rooms of a workspace with an engine that runs processes here.
func newRooms(t *testing.T, connect func(context.Context) (Engine, error)) (r *rooms, dir string, progress func() string) {
	t.Helper()
	dir = t.TempDir()
	lay(t, dir, map[string]string{
		"wr.toml": "[workspace]\n", "infra/wr.toml": "[project]\n[env]\nallow = [\"SEEN\"]\nset = { FIXED = \"always\" }\n", "infra/sub/keep": "",
		"infra/devops/Dockerfile": "FROM acme/python\n", "broken/wr.toml": "[project]\n", "broken/devops/Dockerfile": "FROM acme/python\nRUN exit 7\n",
		"slow/wr.toml": "[project]\n[limits]\ntimeout = \"100ms\"\n", "slow/devops/Dockerfile": "FROM acme/python\n",
	})
	ws, err := workspace.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	said, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"WR_CACHE_DIR": t.TempDir(), "HOME": t.TempDir(), "SEEN": "yes", "NO_COLOR": "1"}
	lookup := func(name string) (string, bool) { value, ok := env[name]; return value, ok }
	if connect == nil {
		connect = func(context.Context) (Engine, error) { return fakeEngine{filepath.Join(dir, ".engine")}, nil }
	}
	a := &app{dir: dir, Process: Process{In: os.Stdin, Out: said, Err: said, LookupEnv: lookup, Connect: connect}}
	r = a.rooms(ws)
	t.Cleanup(func() { _ = r.Close() })
	return r, ws.Root, func() string {
		text, err := os.ReadFile(said.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestAProcessOfAPluginRunsAsThoseOfExecDo(t *testing.T) {
	connected := 0
	var fake fakeEngine
	r, dir, progress := newRooms(t, func(context.Context) (Engine, error) { connected++; return fake, nil })
	fake = fakeEngine{filepath.Join(dir, ".engine")}
	run := func(p abi.ExecParams) (abi.ExecResult, error) {
		p.Project = "infra"
		return r.exec(t.Context(), p)
	}
	if connected > 0 {
		t.Error("the engine was touched before there was a process")
	}
	got, err := run(abi.ExecParams{Argv: []string{"sh", "-c", "cat; pwd; echo $FIXED $SEEN >&2; exit 3"}, Stdin: "in\n"})
	if want := (abi.ExecResult{Exit: 3, Stdout: "in\n" + dir + "/infra\n", Stderr: "always yes\n"}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if !strings.Contains(progress(), "infra") {
		t.Errorf("nobody was told that an image is built: %q", progress())
	}
	got, err = run(abi.ExecParams{Argv: []string{"sh", "-c", "pwd; cat"}, Cwd: "infra/sub"})
	if err != nil || got.Stdout != dir+"/infra/sub\n" || connected != 1 {
		t.Errorf("got %+v, %v; connected %d times", got, err, connected)
	}
	if got, err = run(abi.ExecParams{Argv: []string{"nothing-of-that-name"}}); err != nil || got.Exit != 127 {
		t.Errorf("a program that is not there: %+v, %v", got, err)
	}
}

func TestWhatAProcessPrintsIsBounded(t *testing.T) {
	r, _, _ := newRooms(t, nil)
	got, err := r.exec(t.Context(), abi.ExecParams{Project: "infra", Argv: []string{"sh", "-c", "head -c 20000000 /dev/zero; echo end >&2"}})
	if err != nil || len(got.Stdout) != call.MaxStream || !got.Truncated || got.Stderr != "end\n" || got.Exit != 0 {
		t.Errorf("got %d bytes, %q, cut %v, %v", len(got.Stdout), got.Stderr, got.Truncated, err)
	}
}

func TestWhatAProcessLeavesRunningIsNotWaitedFor(t *testing.T) {
	s, err := newStream()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Dup(int(s.to.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	left := os.NewFile(uintptr(fd), "left")
	defer left.Close()
	if _, err := left.WriteString("said"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got := s.end(); got != (printed{"said", false}) || time.Since(began) > 10*leftBehind {
		t.Errorf("got %+v after %v", got, time.Since(began))
	}
}

func TestContainersThatCannotBeHadAreSaid(t *testing.T) {
	r, _, _ := newRooms(t, nil)
	for project, want := range map[string]string{"nothing": "no project of this workspace is at nothing", "broken": "image.build_failed", "./infra": "no project"} {
		for range 2 {
			if _, err := r.exec(t.Context(), abi.ExecParams{Project: project, Argv: []string{"true"}}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", project, err, want)
			}
		}
	}
	if _, err := r.exec(t.Context(), abi.ExecParams{Project: "slow", Argv: []string{"sleep", "60"}}); !fault.HasCode(err, spec.LimitTimeout) {
		t.Errorf("the limit of the project: got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	r, _, _ = newRooms(t, func(ctx context.Context) (Engine, error) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, errors.New("there is no engine")
	})
	if err := r.ready(ctx, "infra"); err == nil || err.Error() != "interrupted" {
		t.Errorf("got %v", err)
	}
	for range 2 {
		if err := r.ready(t.Context(), "infra"); err == nil || err.Error() != "there is no engine" {
			t.Errorf("who has time is told: got %v", err)
		}
	}
}
