package hook_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestWhatACallNeededIsTold(t *testing.T) {
	b := newBench(t)
	b.config.Manifest.Stateless = true
	b.write(t, "a.py", "0123456789")
	b.remember(t)
	var told []hook.Asked
	b.config.Watch.Asked = func(a *hook.Asked) { told = append(told, *a) }
	p := b.plugin(t)
	for range 2 {
		if out, err := task(t, p, "read", "a.py"); err != nil || out != "0123456789" {
			t.Fatalf("got %q, %v", out, err)
		}
	}
	_, err := task(t, p, "read", "missing.py")
	if len(told) != 3 || err == nil {
		t.Fatalf("told %+v, %v", told, err)
	}
	first := told[0]
	if first.Method != abi.MethodTask || first.Kept || first.Attempts != 1 || first.Time <= 0 || first.Files != 1 || first.Read != 10 || first.Memory < 1<<16 {
		t.Errorf("told %+v", first)
	}
	if _, read := first.Trace.Answer(trace.Question{Path: "a.py", Kind: trace.Read}); !read {
		t.Errorf("its questions are %v", first.Trace.Questions())
	}
	if kept := told[1]; !kept.Kept || kept.Attempts != 0 || kept.Time != 0 || kept.Result.(*abi.TaskResult).Output != "0123456789" {
		t.Errorf("told %+v of what was kept", kept)
	}
	// What the instance read before is not counted again.
	if failed := told[2]; failed.Err == nil || failed.Files != 0 || failed.Read != 0 || failed.Memory < 1<<16 {
		t.Errorf("told %+v of what failed", failed)
	}
}

func TestFunctionsOfTheHostAreTold(t *testing.T) {
	for name, denied := range map[string]bool{"granted": false, "denied": true} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if !denied {
				b.config.Grants = grants{"secret:TOKEN"}
			}
			var during *hook.Asked
			var told []rpc.Called
			b.config.Watch.Called = func(a *hook.Asked, c rpc.Called) { during, told = a, append(told, c) }
			b.config.Watch.Asked = func(a *hook.Asked) {
				if f := a.Calls[abi.MethodSecret]; f.Calls != 1 || f.Denied == 1 != denied || a != during {
					t.Errorf("told %+v, during %p of %p", a.Calls, during, a)
				}
			}
			_, err := task(t, b.plugin(t), "secret")
			if err == nil || len(told) != 1 || told[0].Method != abi.MethodSecret || told[0].Denied() != denied {
				t.Errorf("told %+v, %v", told, err)
			}
		})
	}
}

func TestABookSaysWhatAPluginDid(t *testing.T) {
	b := newBench(t)
	b.config.Time = 5 * time.Second
	b.write(t, "a.py", "0123456789")
	b.remember(t)
	var book account.Book
	b.config.Watch = hook.Account(&book, "guest")
	p, err := hook.New(b.config)
	must(t, err)
	for range 3 {
		_, err := task(t, p, "read", "a.py")
		must(t, err)
	}
	for _, name := range []string{"panic", "loop"} {
		if _, err := task(t, p, name); err == nil {
			t.Errorf("%s did not fail", name)
		}
	}
	must(t, p.Close(context.WithoutCancel(t.Context())))
	got := book.Uses()["guest"]
	if got.Calls != 3 || got.Kept != 2 || got.Failed != 2 || got.TimedOut != 1 || got.Crashes != 0 || got.Again != 0 {
		t.Errorf("got %+v", got)
	}
	if got.Starts != 1 || got.Start <= 0 || got.Files != 1 || got.Read != 10 || got.Memory < 1<<16 || got.Times.Count != 3 || got.Times.Max < 5*time.Second {
		t.Errorf("got %+v", got)
	}
	if runtime.GOOS == "linux" && got.Process < 1<<20 {
		t.Errorf("its process needed %d bytes", got.Process)
	}
}

func TestOnlyTheCallThatWasStoppedHasFailed(t *testing.T) {
	b := newBench(t)
	b.config.Time = 3 * time.Second
	b.config.Process.Limits.Instances = 2
	var book account.Book
	b.config.Watch = hook.Account(&book, "guest")
	p := b.plugin(t)
	loops := make(chan struct{})
	go func() {
		defer close(loops)
		_, _ = task(t, p, "loop")
	}()
	for book.Uses()["guest"].Failed == 0 {
		_, err := task(t, p, "count")
		must(t, err)
	}
	<-loops
	if got := book.Uses()["guest"]; got.Starts > 2 || got.TimedOut != 1 || got.Again > 1 || got.Failed != 1 || got.Starts < 1 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatIsToldToAPluginThatHearsOfEvents(t *testing.T) {
	b := newBench(t)
	b.config.Grants = grants{"git"}
	var told []hook.Asked
	b.config.Watch.Asked = func(a *hook.Asked) { told = append(told, *a) }
	e := b.plugin(t).Events(t.Context())
	e.Emit(event.Event{Type: event.Warning, Text: "x"})
	_ = e.Close() // it lacks what it asks for
	if len(told) != 1 || told[0].Method != abi.NoteEvent || told[0].Kept || told[0].Calls[abi.MethodGit].Calls != 1 || told[0].Memory < 1<<16 {
		t.Errorf("told %+v", told)
	}
}

func TestWhatAToolNeededIsTold(t *testing.T) {
	b := newToolBench(t, "list")
	b.write(t, "a.txt", "TODO\n")
	b.remember(t)
	var told []hook.Asked
	b.config.Watch.Asked = func(a *hook.Asked) { told = append(told, *a) }
	l := b.linter(t)
	for range 2 {
		says(t, l, []string{"a.txt"}, word("a.txt"))
	}
	if len(told) != 2 || told[0].Method != abi.MethodLint || told[0].Kept || !told[1].Kept {
		t.Fatalf("told %+v", told)
	}
	first := told[0]
	if first.Attempts != 1 || first.Time <= 0 || first.Files < 1 || first.Read < 5 || first.Memory < 1<<16 || len(first.Result.(*abi.LintResult).Diagnostics) != 1 {
		t.Errorf("told %+v", first)
	}
	if _, read := first.Trace.Answer(trace.Question{Path: "a.txt", Kind: trace.Read}); !read {
		t.Errorf("its questions are %v", first.Trace.Questions())
	}
}

// TestAProcessThatDiesIsStartedOnceMore has processes killed while they work: once is
// no fault of the call, twice is a crash.
func TestAProcessThatDiesIsStartedOnceMore(t *testing.T) {
	for deaths, code := range map[int]string{1: sandbox.CodeTimeout, 2: sandbox.CodeCrashed} {
		t.Run(strconv.Itoa(deaths), func(t *testing.T) {
			b := newBench(t)
			must(t, sandbox.Compile(t.Context(), b.config.Process)) // by a process that lives
			b.config.Process.Program = mortal(t, b.config.Process.Program, deaths)
			b.config.Time = 2 * time.Second
			var book account.Book
			b.config.Watch = hook.Account(&book, "guest")
			p := b.plugin(t)
			if _, err := task(t, p, "loop"); !fault.HasCode(err, code) {
				t.Errorf("got %v, want %s", err, code)
			}
			if got := book.Uses()["guest"]; got.Failed != 1 || got.Crashes != int64(deaths-1) || got.Again != 1 || got.Starts != 2 {
				t.Errorf("got %+v", got)
			}
			if out, err := task(t, p, "count"); err != nil || out == "" {
				t.Errorf("after that: got %q, %v", out, err)
			}
		})
	}
}

// mortal is a program that is killed soon after it was started, as often as that.
func mortal(t *testing.T, program string, deaths int) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`#!/bin/sh
echo >>%[1]s/starts
if [ "$(wc -l <%[1]s/starts)" -le %[2]d ]; then (sleep 0.5; kill -9 $$) & fi
exec %[3]s "$@"
`, dir, deaths, program)
	must(t, os.WriteFile(filepath.Join(dir, "program"), []byte(text), 0o700)) //nolint:gosec // it is run
	return filepath.Join(dir, "program")
}
