//go:build linux && engine

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/engine"
)

// engineDir holds the engine of these tests. It is kept from run to run: the
// bases in it take a minute each to make.
const engineDir = "/var/tmp/wr-test"

var engineDirs = engine.Dirs{State: engineDir + "/state", Run: engineDir + "/run"}

// binary is the wr under test, built by make.
func binary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../../bin/wr")
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("these tests need the real program, make build: %v", err)
	}
	return path
}

// started makes the engine and the bases of the example ready, once.
var started = sync.OnceValue(func() error {
	path, err := filepath.Abs("../../../bin/wr")
	if err != nil {
		return err
	}
	down := exec.Command(path, "engine", "down", "--force")
	down.Env = environ()
	if out, err := down.CombinedOutput(); err != nil {
		return errors.New("end the engine of an earlier run: " + string(out))
	}
	create := exec.Command(path, "-C", "../../../examples/acme", "image", "base", "create")
	create.Env = environ()
	if out, err := create.CombinedOutput(); err != nil {
		return errors.New("make the bases: " + string(out))
	}
	return forgetImages()
})

// forgetImages removes the images that earlier runs have built, so that the
// scripts find what they expect. Bases and BuildKit's cache stay.
func forgetImages() error {
	c, err := client.New(engineDirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		return err
	}
	defer c.Close()
	images, err := c.ListImages(context.Background())
	if err != nil {
		return err
	}
	for _, i := range images {
		if !strings.HasPrefix(i.Name(), "wr.local/") {
			continue
		}
		if err := c.ImageService().Delete(context.Background(), i.Name()); err != nil {
			return err
		}
	}
	return nil
}

// environ is that of somebody who works here, also where CI runs the tests.
func environ() []string {
	return append(os.Environ(), "WR_ENGINE_DIR="+engineDir, "NO_COLOR=1", "CI=")
}

// real is wr with the real engine.
type real struct {
	t   *testing.T
	bin string
}

func realWr(t *testing.T) real {
	t.Helper()
	w := real{t: t, bin: binary(t)}
	if err := started(); err != nil {
		t.Fatal(err)
	}
	return w
}

// command is wr with args in dir, not yet started.
func (w real) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(w.bin, args...)
	cmd.Dir, cmd.Env = dir, environ()
	return cmd
}

// run runs wr and returns its stdout, stderr and exit code.
func (w real) run(dir string, args ...string) (string, string, int) {
	w.t.Helper()
	cmd := w.command(dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), errs.String(), exited.ExitCode()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return out.String(), errs.String(), 0
}

// census counts what containers can leave behind.
func (w real) census() containertest.Census {
	w.t.Helper()
	c, err := client.New(engineDirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	found, err := containertest.Take(ctx, c, containertest.Scope{Dirs: engineDirs})
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

// buildCache matches what BuildKit keeps on purpose.
var buildCache = regexp.MustCompile(`^(lease|snapshot) ([0-9a-z]{25}(-variants|-view)?|[0-9]+-.{4}|buildkit-layer-snapshot-v1-sha256-[0-9a-f]{64}-view)$`)

// leavesNothing fails the test when, once those that are kept have been
// stopped, containers have left something since before.
func (w real) leavesNothing(before containertest.Census) {
	w.t.Helper()
	if _, errs, code := w.run(w.t.TempDir(), "stop", "--all"); code != 0 {
		w.t.Errorf("wr stop --all: exit %d\n%s", code, errs)
	}
	left, err := containertest.Settled(before, func() (containertest.Census, error) {
		return slices.DeleteFunc(w.census(), buildCache.MatchString), nil
	})
	if err != nil || len(left) > 0 {
		w.t.Errorf("left behind:\n%s", left)
	}
}

// workspace is a copy of a workspace that the test may write to.
func workspaceCopy(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("cp", "-a", source+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v: %s", source, err, out)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".wr")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestScriptsWithTheRealEngine plays the very scripts of TestScripts.
func TestScriptsWithTheRealEngine(t *testing.T) {
	w := realWr(t)
	before := w.census()
	t.Run("scripts", func(t *testing.T) {
		images := loopbackRegistry(w.t)
		testscript.Run(t, testscript.Params{
			Dir:                 "testdata/script",
			RequireExplicitExec: true,
			Condition:           func(string) (bool, error) { return false, nil }, // nothing is a fake
			Setup: func(env *testscript.Env) error {
				bin := filepath.Join(env.WorkDir, ".bin")
				env.Setenv("PATH", bin+":"+os.Getenv("PATH"))
				env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
				env.Setenv("NO_COLOR", "1")
				env.Setenv("WR_CACHE_DIR", filepath.Join(env.WorkDir, ".cache"))
				env.Setenv("WR_ENGINE_DIR", engineDir)
				env.Setenv("REGISTRY", images)
				return errors.Join(shareBuilds(env), os.Mkdir(bin, 0o755), os.Symlink(w.bin, filepath.Join(bin, "wr")))
			},
		})
	})
	w.leavesNothing(before)
}

// TestTheExampleIsGreen is the main job.
func TestTheExampleIsGreen(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	out, errs, code := w.run(dir, "test", "--recursive", "--suite", "all")
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, out, errs)
	}
	w.leavesNothing(before)
	total := lastReport(t, dir).Total()
	want := report.Counts{Collected: 24, Passed: 21, Skipped: 2, XFailed: 1}
	if total != want {
		t.Errorf("counts are %+v, want %+v\n%s", total, want, out)
	}
	if _, _, code := w.run(filepath.Join(dir, "infra"), "test"); code != 0 {
		t.Errorf("a project without tests by declaration exits with %d", code)
	}
}

// TestWhatGoesWrongIsSaidUnderItsOwnName runs every ugly project at once.
func TestWhatGoesWrongIsSaidUnderItsOwnName(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "testdata/ugly")
	before := w.census()
	out, errs, code := w.run(dir, "test", "--recursive")
	if code != 3 {
		t.Errorf("exit %d, want 3: images and environments are broken\n%s\n%s", code, out, errs)
	}
	w.leavesNothing(before)
	r := lastReport(t, dir)
	for project, want := range map[string]string{
		"closed": "failed", "daemon": "ok", "forked": "ok", "good": "ok", "none": "none", "outer": "ok", "outer/inner": "ok", "writes": "ok",
		"empty": "test.none_collected", "exits": "failed", "killed": "failed", "liar": "test.none_but_tests",
		"missing": "failed", "nobase": "image.base_missing", "nobuild": "image.build_failed",
		"noisy": "failed", "nopytest": "test.pytest_missing", "syntax": "failed",
	} {
		p := r.Project(project)
		if p == nil {
			t.Errorf("%s is not in the report", project)
			continue
		}
		got := string(p.Status)
		if p.Fault != nil && want != "failed" {
			got = p.Fault.Code
		}
		if got != want {
			t.Errorf("%s ended as %s (%v), want %s", project, got, p.Fault, want)
		}
	}
	counts := func(project string) report.Counts { return r.Project(project).Counts() }
	for project, want := range map[string]report.Counts{
		"killed": {Collected: 3, Passed: 2, Errored: 1},
		"exits":  {Collected: 3, Passed: 2, Errored: 1},
		"outer":  {Collected: 1, Passed: 1},
		"noisy":  {Collected: 2, Passed: 1, Failed: 1},
		"forked": {Collected: 2, Passed: 2},
		"closed": {Collected: 2, Failed: 1, Errored: 1}, // as in plain pytest: its capture is closed, too
	} {
		if got := counts(project); got != want {
			t.Errorf("%s counts %+v, want %+v", project, got, want)
		}
	}
	if f := r.Project("nobuild").Fault; f.File != "nobuild/devops/Dockerfile" || f.Line != 3 {
		t.Errorf("the failed build is said to be at %s:%d, want nobuild/devops/Dockerfile:3", f.File, f.Line)
	}
	numbersAgree(t, dir, out, r)
}

// numbersAgree compares the table, junit.xml and the events.
func numbersAgree(t *testing.T, dir, out string, r *report.Run) {
	t.Helper()
	var junit bytes.Buffer
	if err := report.JUnit(&junit, r); err != nil {
		t.Fatal(err)
	}
	latest, _ := testrun.Latest(dir)
	written, err := os.ReadFile(filepath.Join(latest.Path, "junit.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(junit.Bytes(), written) {
		t.Error("junit.xml is not what the events say")
	}
	_, table, _ := strings.Cut(out, "\nPROJECT ")
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 7 || r.Project(fields[0]) == nil {
			continue
		}
		sums := r.Project(fields[0]).Sums()
		want, _ := json.Marshal([]int{sums.Passed, sums.Failures, sums.Skipped, sums.Errors})
		got := "[" + strings.Join(fields[2:6], ",") + "]"
		if got != string(want) {
			t.Errorf("the table says %s of %s, the events %s", got, fields[0], want)
		}
	}
}

// TestCtrlCEndsARunInOrder interrupts two projects in the middle.
func TestCtrlCEndsARunInOrder(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "testdata/sleeps")
	if out, errs, code := w.run(dir, "build", "-r"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	cmd := w.command(dir, "test", "-r", "-j2", "--json")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	events := json.NewDecoder(stdout)
	for sleeping := 0; sleeping < 2; {
		var e struct{ Type, Case string }
		if err := events.Decode(&e); err != nil {
			t.Fatal(err)
		}
		if e.Type == "case_started" && strings.Contains(e.Case, "test_sleeps") && !strings.Contains(e.Case, "before") {
			sleeping++
		}
	}
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var last struct {
		Type        string
		Interrupted bool
		Exit        int
	}
	for events.Decode(&last) == nil {
	}
	exited, ok := errors.AsType[*exec.ExitError](cmd.Wait())
	if !ok || exited.ExitCode() != 130 {
		t.Errorf("wr ended with %v, want 130", exited)
	}
	t.Logf("ended %v after the interrupt", time.Since(began))
	if last.Type != "run_finished" || !last.Interrupted || last.Exit != 130 {
		t.Errorf("the last event is %+v, want an interrupted run that exits with 130", last)
	}
	w.leavesNothing(before)
	for _, p := range lastReport(t, dir).Projects {
		if n := p.Counts(); n.Passed != 1 || n.Collected != 2 {
			t.Errorf("%s kept %+v of what was done before the interrupt", p.Path, n)
		}
	}
}

// TestTwoRunsAtOnceDoNotMeet runs one workspace twice and another one beside it.
func TestTwoRunsAtOnceDoNotMeet(t *testing.T) {
	w := realWr(t)
	first, second := workspaceCopy(t, "../../../examples/acme"), workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	var all sync.WaitGroup
	for _, dir := range []string{first, first, second} {
		all.Go(func() {
			if out, errs, code := w.run(dir, "test", "-r", "--suite", "all"); code != 0 {
				t.Errorf("exit %d\n%s\n%s", code, out, errs)
			}
		})
	}
	all.Wait()
	w.leavesNothing(before)
	runs, err := filepath.Glob(filepath.Join(first, ".wr/runs/2*/events.ndjson"))
	if err != nil || len(runs) != 2 {
		t.Fatalf("runs are %v (%v), want two", runs, err)
	}
	for _, path := range runs {
		r, err := report.Load(path)
		if err != nil || !r.Finished || r.Total().Passed != 21 {
			t.Errorf("%s: %+v, %v", path, r.Total(), err)
		}
	}
}

// TestFilesBelongToWhoTypedTheCommand runs as root for a workspace of another
// user, with and without sudo's variables.
func TestFilesBelongToWhoTypedTheCommand(t *testing.T) {
	w := realWr(t)
	for name, variables := range map[string][]string{"sudo": {"SUDO_UID=1234", "SUDO_GID=1235"}, "plain root": nil} {
		t.Run(name, func(t *testing.T) {
			dir := workspaceCopy(t, "testdata/ugly")
			if out, err := exec.Command("chown", "-R", "1234:1235", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			cmd := w.command(dir, "test", "writes")
			cmd.Env = append(cmd.Env, variables...)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var strange []string
			err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil {
					return err
				}
				info, err := d.Info()
				if err != nil {
					return err
				}
				if s := info.Sys().(*syscall.Stat_t); s.Uid != 1234 || s.Gid != 1235 {
					strange = append(strange, path)
				}
				return nil
			})
			if err != nil || len(strange) > 0 {
				t.Errorf("not the caller's (%v):\n%s", err, strings.Join(strange, "\n"))
			}
			if _, err := os.Stat(filepath.Join(dir, "writes/made/by_a_test.txt")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestAUserWithoutRightsIsToldWhatToDo runs wr as nobody.
func TestAUserWithoutRightsIsToldWhatToDo(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "testdata/ugly")
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "wr") // where nobody may read it
	if out, err := exec.Command("sh", "-c", `cp "$0" "$1" && chown -R 65534 "$2" && chmod 755 "$3"`, w.bin, bin, dir, filepath.Dir(filepath.Dir(dir))).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cmd := exec.Command(bin, "test", "good")
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(environ(), func(v string) bool { return strings.HasPrefix(v, "XDG_") }), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if exited, ok := errors.AsType[*exec.ExitError](err); !ok || exited.ExitCode() != 3 {
		t.Errorf("ended with %v, want exit code 3", err)
	}
	for _, want := range []string{"engine.denied", "next:", "sudo"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
}
