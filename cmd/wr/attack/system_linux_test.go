package attack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/report"
)

// patience is how long something may take on a machine that does other things.
const patience = time.Minute

// until waits for something to be so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for end := time.Now().Add(patience); !so(); <-ticks.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// forget gives the field a cache of its own, in which nothing is compiled yet.
func (f *field) forget() {
	f.t.Helper()
	f.cache = filepath.Join(f.t.TempDir(), "cache")
	f.must(os.Mkdir(f.cache, 0o700))
}

// TestNothingOutlivesAWrThatIsKilled kills wr in the midst of an attack, and in the
// midst of compiling.
func TestNothingOutlivesAWrThatIsKilled(t *testing.T) {
	for name, fresh := range map[string]bool{"while a plugin runs": false, "while one is compiled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			attack{tries: []string{"loop"}}.arm(f)
			if fresh {
				slow(t)
				f.forget()
			}
			cmd := f.command("lint", "--recursive")
			f.must(cmd.Start())
			until(t, "a plugin's process works", func() bool { return working(t, cmd.Process.Pid) })
			f.must(cmd.Process.Kill())
			_ = cmd.Wait()
			until(t, "nothing is left of wr", func() bool { return len(session(t, cmd.Process.Pid)) == 0 })
			f.set(map[string]any{"tries": []string{"read /etc/hostname"}})
			if r, o := f.lint(); o.code != 1 || len(linted(r, "shady").Diagnostics) != 1 || len(linted(r, "good").Diagnostics) != 1 {
				t.Errorf("the next run: exit %d, %+v\n%s", o.code, r.Linters, o.stderr)
			}
			if left, err := filepath.Glob(filepath.Join(f.cache, "compiled", "*", "*", "fresh")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

// working says whether a process that wr has started has used a tenth of a second.
func working(t *testing.T, id int) bool {
	t.Helper()
	for _, line := range session(t, id) {
		pid, _, _ := strings.Cut(line, " ")
		if pid == strconv.Itoa(id) {
			continue
		}
		text, _ := os.ReadFile("/proc/" + pid + "/stat")
		_, rest, _ := strings.Cut(string(text), ") ")
		var ticks int
		if fields := strings.Fields(rest); len(fields) > 11 {
			_, _ = fmt.Sscan(fields[11], &ticks) // utime
		}
		if ticks >= 10 {
			return true
		}
	}
	return false
}

// TestADiskThatIsFullIsSaidAndNoMore has the disk be full while plugins are compiled.
func TestADiskThatIsFullIsSaidAndNoMore(t *testing.T) {
	slow(t)
	f := newField(t)
	attack{tries: []string{"read /etc/hostname"}}.arm(f)
	f.forget()
	if err := unix.Mount("none", f.cache, "tmpfs", 0, "size=14m"); errors.Is(err, unix.EPERM) {
		t.Skip("only root can make a small disk")
	} else {
		f.must(err)
	}
	t.Cleanup(func() { f.must(unix.Unmount(f.cache, unix.MNT_DETACH)) })
	r, o := f.lint()
	for _, name := range []string{"good", "shady"} {
		if why := linted(r, name).Fault; o.code != 3 || why == nil || why.Code != "disk.full" || !strings.Contains(why.Message, "no space left") || why.Next == "" {
			t.Errorf("exit %d, %s: %+v", o.code, name, why)
		}
	}
	f.must(unix.Mount("none", f.cache, "tmpfs", unix.MS_REMOUNT, "size=1g"))
	if r, o := f.lint(); o.code != 1 || len(linted(r, "shady").Diagnostics) != 1 || len(linted(r, "good").Diagnostics) != 1 {
		t.Errorf("the next run: exit %d, %+v\n%s", o.code, r.Linters, o.stderr)
	}
}

// TestTwoRunsShareWhatTheyCompile has two wr want the same code at once.
func TestTwoRunsShareWhatTheyCompile(t *testing.T) {
	slow(t)
	t.Parallel()
	first, second := newField(t), newField(t)
	var compiled, wrong sync.Map
	var all sync.WaitGroup
	for _, f := range []*field{first, second} {
		attack{tries: []string{"read /etc/hostname"}}.arm(f)
	}
	first.forget()
	second.cache = first.cache
	for _, f := range []*field{first, second} {
		all.Go(func() {
			var stdout, stderr bytes.Buffer
			cmd := f.command("lint", "--recursive", "--json")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run() // its exit code is in what it says
			var r report.Lint
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || r.Exit != 1 || len(linted(&r, "shady").Diagnostics) != 1 || len(linted(&r, "good").Diagnostics) != 1 {
				wrong.Store(f, fmt.Sprintf("%v: %s%s", err, &stdout, &stderr))
			}
			for line := range strings.Lines(stderr.String()) {
				if _, twice := compiled.LoadOrStore(line, f); twice {
					wrong.Store(line, "compiled twice")
				}
			}
		})
	}
	all.Wait()
	wrong.Range(func(what, why any) bool { t.Errorf("%v: %v", what, why); return true })
}

// TestAPairThatIsHungryIsStopped has two plugins want all the memory at once.
func TestAPairThatIsHungryIsStopped(t *testing.T) {
	t.Parallel()
	f := newField(t)
	names := []string{"greedy", "shady"}
	text := "[workspace]\n"
	for _, name := range names {
		f.module(name, built.path("shady.wasm"), "")
		f.add(name)
		text += "[plugins." + name + ".config]\ntries = [\"hoard\"]\n"
	}
	f.add("good")
	f.write("ws/wr.toml", text)
	before := f.tree()
	r, o := f.lint()
	f.compare(before)
	for _, name := range names {
		if why := linted(r, name).Fault; o.code != 3 || why == nil || why.Code != "plugin.limit" || !strings.Contains(why.Details, "shady tries: hoard") {
			t.Errorf("exit %d, %s: %+v", o.code, name, why)
		}
	}
	if one := linted(r, "good"); one.Fault != nil || len(one.Diagnostics) != 1 || o.peak > most {
		t.Errorf("the good plugin said %+v, %v; a process used %d MiB", one.Diagnostics, one.Fault, o.peak>>20)
	}
}
