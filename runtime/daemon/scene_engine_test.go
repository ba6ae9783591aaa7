//go:build linux && engine

package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/spec"
)

// apart gives the engine a control group of its own, a directory for temporary
// files, and an OCI runtime that can be held up.
func apart(t *testing.T) func(*engineConfig) {
	t.Helper()
	return func(c *engineConfig) {
		base := filepath.Dir(c.Dirs.Run)
		c.Temp = filepath.Join(base, "tmp")
		if err := os.Mkdir(c.Temp, 0o777); err != nil {
			t.Fatal(err)
		}
		group, err := containertest.NewCgroup("wr-test-" + filepath.Base(base))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			eventually(t, "the engine's control group is empty", func() bool { return group.Remove() == nil })
		})
		c.Cgroup = group
		c.Programs.Runc = holdable(t, base, c.Programs.Runc)
	}
}

// holdable is an OCI runtime that waits with the creation of a container as
// long as there is a pipe named hold, and writes its process into the file held.
func holdable(t *testing.T, dir, runc string) string {
	t.Helper()
	path := filepath.Join(dir, "runc")
	script := fmt.Sprintf(`#!/bin/sh
case " $* " in
*" create "*) [ ! -p %[1]s/hold ] || { echo $$ >%[1]s/held.new; mv %[1]s/held.new %[1]s/held; read -r _ <%[1]s/hold; } ;;
esac
exec %[2]s "$@"
`, dir, runc)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// idle is when a container is kept and nobody uses it.
func (f *fixture) idle() scene {
	f.must(as(spec.RoleDev), sh("true"))
	id := f.one()
	return scene{
		pids: map[victim]int{theEngine: f.pid(), theAgent: f.agentOf(id), theShim: f.shimOf(id)},
		goOn: func(victim) {},
	}
}

// running is when a command runs that ends with its input.
func (f *fixture) running(role spec.Role) scene {
	f.t.Helper()
	c := f.clientFor(0, task{Args: []string{"sh", "-c", "echo up; cat; exit 5"}, Role: role})
	if got := c.line(); got != "up\n" {
		f.t.Fatalf("got %q", got)
	}
	id := f.one()
	return scene{
		client: c,
		pids:   map[victim]int{theClient: c.cmd.Process.Pid, theEngine: f.pid(), theAgent: f.agentOf(id), theShim: f.shimOf(id)},
		goOn: func(v victim) {
			if v == theEngine { // nothing else lets the command live
				c.in.Close()
			}
		},
	}
}

// heldUp is a client whose container the OCI runtime is about to make once it
// is let go.
func (f *fixture) heldUp(role spec.Role) (c *process, runc int, letGo func()) {
	f.t.Helper()
	hold, held := filepath.Join(f.base(), "hold"), filepath.Join(f.base(), "held")
	if err := unix.Mkfifo(hold, 0o600); err != nil {
		f.t.Fatal(err)
	}
	c = f.clientFor(0, task{Args: []string{"true"}, Role: role})
	f.eventually("the OCI runtime is held up", func() bool {
		text, _ := os.ReadFile(held)
		_, err := fmt.Sscan(string(text), &runc)
		return err == nil
	})
	return c, runc, func() {
		release(f.t, hold)
		for _, path := range []string{hold, held} {
			if err := os.Remove(path); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// creating is when the OCI runtime is in the middle of making a container: it
// has started the process that is to become the agent.
func (f *fixture) creating() scene {
	f.t.Helper()
	c, runc, letGo := f.heldUp(spec.RoleFresh)
	shim := parent(f.t, runc)
	letGo()
	f.catch(runc)
	return scene{
		client: c,
		pids:   map[victim]int{theClient: c.cmd.Process.Pid, theEngine: f.pid(), theShim: shim, theRuntime: runc},
		goOn:   func(victim) { _ = syscall.Kill(runc, syscall.SIGCONT) },
	}
}

// catch stops an OCI runtime once it has a child.
func (f *fixture) catch(runc int) {
	f.t.Helper()
	for parentless := true; parentless; {
		if parent(f.t, runc) == 0 {
			f.t.Fatal("the OCI runtime was done before it could be stopped")
		}
		parentless = child(runc) == 0
	}
	signal(f.t, runc, syscall.SIGSTOP)
}

// parent is the process that started pid; 0 = pid has ended.
func parent(t testing.TB, pid int) (ppid int) {
	t.Helper()
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "PPid: %d", &ppid)
	}
	return ppid
}

// child is a process that pid has started; 0 = there is none.
func child(pid int) (found int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, path := range threads {
		text, _ := os.ReadFile(path)
		if _, err := fmt.Sscan(string(text), &found); err == nil {
			break
		}
	}
	return found
}

// release lets a reader of a named pipe go on.
func release(t testing.TB, pipe string) {
	t.Helper()
	if err := os.WriteFile(pipe, []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
}

// building is when a build step runs.
func (f *fixture) building() scene {
	f.t.Helper()
	c := f.buildOf("sleep 86399")
	f.eventually("the step runs", func() bool {
		return find(func(line string) bool { return strings.HasPrefix(line, "sleep 86399") }) > 0
	})
	root := "--root " + f.config.Dirs.BuildRuncRoot()
	runc := find(func(line string) bool { return strings.Contains(line, root) })
	return scene{
		client: c,
		pids:   map[victim]int{theClient: c.cmd.Process.Pid, theEngine: f.pid(), theRuntime: runc},
		goOn:   func(victim) {},
	}
}

// storing is when the steps of a build are done and the engine, which is
// stopped, writes the layer that they made.
func (f *fixture) storing() scene {
	f.t.Helper()
	c := f.buildOf("dd if=/dev/zero of=/big bs=1M count=128")
	ingests := filepath.Join(f.config.Dirs.ContainerdRoot(), "io.containerd.content.v1.content", "ingest", "*")
	f.eventually("a layer is written", func() bool {
		found, err := filepath.Glob(ingests)
		return err == nil && len(found) > 0
	})
	engine := f.pid()
	signal(f.t, engine, syscall.SIGSTOP)
	if found, err := filepath.Glob(ingests); err != nil || len(found) == 0 {
		f.t.Fatalf("the layer was written before the engine could be stopped (%v)", err)
	}
	return scene{
		client: c,
		pids:   map[victim]int{theClient: c.cmd.Process.Pid, theEngine: engine},
		goOn:   func(victim) { _ = syscall.Kill(engine, syscall.SIGCONT) },
	}
}

// wantNoHalfImage fails if there is an image that was being made, and not all
// of it.
func (f *fixture) wantNoHalfImage() {
	f.t.Helper()
	_, there, err := f.Lookup(f.t.Context(), builtImage)
	if err != nil {
		f.t.Fatal(err)
	}
	if there {
		c := box()
		c.Image = builtImage
		f.must(c, sh("cat /big >/dev/null"))
	}
}
