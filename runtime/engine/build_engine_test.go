//go:build linux && engine

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	buildkit "github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"
)

// buildContext returns a directory with a Dockerfile and this machine's
// /bin/cat and /bin/sleep, as an image needs them.
func buildContext(t *testing.T, dockerfile string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Dockerfile", dockerfile)
	for _, program := range []string{"/bin/cat", "/bin/sleep"} {
		out, err := exec.CommandContext(t.Context(), "ldd", program).Output()
		if err != nil {
			t.Fatal(err)
		}
		copyFile(t, program, dir)
		for word := range strings.FieldsSeq(string(out)) {
			if strings.HasPrefix(word, "/") {
				copyFile(t, word, dir)
			}
		}
	}
	return dir
}

func copyFile(t *testing.T, path, dir string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, path)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o755); err != nil {
		t.Fatal(err)
	}
}

// build solves a Dockerfile and returns the output of its steps.
func build(ctx context.Context, dirs Dirs, contextDir string, output func(string)) error {
	c, err := buildkit.New(ctx, "unix://"+dirs.BuildkitSocket())
	if err != nil {
		return err
	}
	defer c.Close()
	local, err := fsutil.NewFS(contextDir)
	if err != nil {
		return err
	}
	status := make(chan *buildkit.SolveStatus)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		_, err := c.Solve(ctx, nil, buildkit.SolveOpt{
			Frontend:      "dockerfile.v0",
			FrontendAttrs: map[string]string{"image-resolve-mode": "local"},
			LocalMounts:   map[string]fsutil.FS{"context": local, "dockerfile": local},
		}, status)
		return err
	})
	group.Go(func() error {
		for s := range status {
			for _, line := range s.Logs {
				output(string(line.Data))
			}
		}
		return nil
	})
	return group.Wait()
}

func TestABuildStepRunsBesideTheEngineInItsOwnControlGroup(t *testing.T) {
	dirs := engineDirs(t)
	wantStepBeside(t, dirs, mustUp(t, dirs))
}

// wantStepBeside runs a build step and fails unless it is below the group of
// the engine (v1) or of the engine's parent (v2), and leaves none.
func wantStepBeside(t *testing.T, dirs Dirs, pid int) {
	t.Helper()
	const seconds = "98762"
	dir := buildContext(t, "FROM scratch\nCOPY . /\nRUN [\"/bin/sleep\", \""+seconds+"\"]\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- build(ctx, dirs, dir, func(string) {}) }()
	await(t, "a running step", func() bool { return len(sleepers(t, seconds)) > 0 })
	step := controlGroups(t, filepath.Dir(sleepers(t, seconds)[0]))
	cancel()
	if err := <-done; err == nil {
		t.Error("the build succeeded")
	}
	engine := controlGroups(t, fmt.Sprintf("/proc/%d", pid))
	t.Logf("engine %v, step %v", engine, step)
	controllers := []string{"memory", "pids"}
	if engine[controllers[0]] == "" {
		controllers = []string{""} // v2 has one group for all
	}
	var left []string
	for _, c := range controllers {
		own := strings.TrimSuffix(strings.TrimSuffix(engine[c], engineGroup), "/")
		if !strings.HasPrefix(step[c], own+"/"+containersGroup+"/") {
			t.Errorf("the step is in %q, not beside the engine in %q", step[c], engine[c])
		}
		left = append(left, filepath.Join("/sys/fs/cgroup", c, step[c]))
	}
	await(t, "end of the step's groups", func() bool { return !slices.ContainsFunc(left, exists) })
	await(t, "end of the runtime's state", func() bool {
		found, _ := os.ReadDir(dirs.BuildRuncRoot())
		return len(found) == 0
	})
}

// controlGroups returns the groups of a process by v1 controller, that of v2
// as "". proc is its directory.
func controlGroups(t *testing.T, proc string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(proc, "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := readOwn(fstest.MapFS{"proc/self/cgroup": {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	return own
}

func TestABuildIsCountedAndItsEndIsNoted(t *testing.T) {
	dirs := engineDirs(t)
	d, err := Open(t.Context(), Config{Dirs: dirs})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	dir := buildContext(t, "FROM scratch\nCOPY . /\nRUN [\"/bin/cat\", \"/proc/uptime\"]\nRUN [\"/bin/sleep\", \"60\"]\n")
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	var builds, connections int
	err = build(ctx, dirs, dir, func(string) {
		once.Do(func() {
			builds, connections = d.Builds(), d.Connections()
			cancel()
		})
	})
	if builds != 1 || connections != 1 {
		t.Errorf("during a build: got %d builds and %d connections, want one of each", builds, connections)
	}
	if !errors.Is(ctx.Err(), context.Canceled) || err == nil {
		t.Errorf("the build ended by itself: %v", err)
	}
	await(t, "an idle engine", func() bool { return d.Builds() == 0 && d.Connections() == 0 })
}

func TestTheNextEngineRemovesTheBuildStepsOfAKilledOne(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs)
	const seconds = "98761"
	dir := buildContext(t, "FROM scratch\nCOPY . /\nRUN [\"/bin/sleep\", \""+seconds+"\"]\n")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- build(ctx, dirs, dir, func(string) {}) }()
	await(t, "a running step", func() bool { return len(sleepers(t, seconds)) > 0 })
	end(t, pid, syscall.SIGKILL)
	cancel()
	if err := <-done; err == nil {
		t.Error("the build succeeded")
	}
	mustUp(t, dirs)
	if left := sleepers(t, seconds); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	if left := mountsBelow(t, dirs.State); len(left) > 0 {
		t.Errorf("mounts left: %v", left)
	}
	if left, _ := os.ReadDir(dirs.executorRoot()); len(left) > 0 {
		t.Errorf("bundles left: %v", left)
	}
	if left, _ := os.ReadDir(dirs.BuildRuncRoot()); len(left) > 0 {
		t.Errorf("runtime state left: %v", left)
	}
	var out strings.Builder
	dir = buildContext(t, "FROM scratch\nCOPY . /\nRUN [\"/bin/cat\", \"/proc/version\"]\n")
	if err := build(t.Context(), dirs, dir, func(s string) { out.WriteString(s) }); err != nil || out.Len() == 0 {
		t.Errorf("the next build: %q, %v", out.String(), err)
	}
}

// sleepers returns the processes with an argument of this very number.
func sleepers(t *testing.T, seconds string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range lines {
		if text, err := os.ReadFile(path); err == nil && bytes.Equal(text, []byte("/bin/sleep\x00"+seconds+"\x00")) {
			found = append(found, path)
		}
	}
	return found
}

// await waits for a condition.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("no %s in time", what)
		case <-tick.C:
		}
	}
}
