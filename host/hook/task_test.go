package hook_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestHashesAreWhatAPluginSaw(t *testing.T) {
	b := newBench(t)
	b.write(t, "a/x.py", "one")
	b.write(t, "a/y.txt", "secret")
	kept := b.remember(t)
	p := b.plugin(t)
	ask := func() hook.Done {
		t.Helper()
		kept.Forget()
		d, err := p.Task(t.Context(), abi.TaskParams{Task: "hash", Args: []string{"a/**"}})
		must(t, err)
		return d
	}
	if d := ask(); d.Cached || d.Output != "a/x.py 7692c3ad" { // printf one | sha256sum
		t.Errorf("got %q, cached %v", d.Output, d.Cached)
	}
	if d := ask(); !d.Cached {
		t.Error("nothing changed, and it was asked again")
	}
	b.write(t, "a/y.txt", "other")
	if d := ask(); !d.Cached {
		t.Error("a file that it may not see changed, and it was asked again")
	}
	b.write(t, "a/z.py", "two")
	if d := ask(); d.Cached || d.Output != "a/x.py 7692c3ad\na/z.py 3fc4ccfe" {
		t.Errorf("a file more: got %q, cached %v", d.Output, d.Cached)
	}
}

func TestWhatAProcessPrintedIsNotKept(t *testing.T) {
	b := newBench(t)
	kept := b.remember(t)
	b.config.Grants = grants{"exec:date"}
	made, now := 0, "mon"
	b.config.Functions = func(project string) call.Functions {
		return call.Functions{
			Ready: func(context.Context, string) error { made++; return nil },
			Exec: func(_ context.Context, p abi.ExecParams) (abi.ExecResult, error) {
				return abi.ExecResult{Stdout: now + " in " + p.Project + " for " + project}, nil
			},
		}
	}
	p := b.plugin(t)
	for _, now = range []string{"mon", "tue"} {
		kept.Forget()
		if out, err := task(t, p, "exec", "date"); err != nil || out != now+" in . for ." {
			t.Errorf("got %q, %v", out, err)
		}
	}
	if _, err := task(t, p, "exec", "sh"); !fault.HasCode(err, hook.CodeDenied) || made != 2 {
		t.Errorf("got %v, %d containers made", err, made)
	}
}

func TestAContainerThatTakesLongToMakeIsNotThePluginsFault(t *testing.T) {
	b := newBench(t)
	b.config.Time = 2 * time.Second
	b.config.Grants = grants{"exec:date"}
	b.config.Functions = func(string) call.Functions {
		return call.Functions{
			Ready: func(ctx context.Context, _ string) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(2500 * time.Millisecond):
					return nil
				}
			},
			Exec: func(context.Context, abi.ExecParams) (abi.ExecResult, error) {
				return abi.ExecResult{Stdout: "ok"}, nil
			},
		}
	}
	if out, err := task(t, b.plugin(t), "exec", "date"); err != nil || out != "ok" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestEditsAreOfFilesThatWereRead(t *testing.T) {
	b := newBench(t)
	b.write(t, "a.py", "one")
	kept := b.remember(t)
	p := b.plugin(t)
	for _, cached := range []bool{false, true} {
		d, err := p.Task(t.Context(), abi.TaskParams{Task: "edit", Args: []string{"a.py"}})
		if err != nil || d.Cached != cached || d.Seen["a.py"] != sha256.Sum256([]byte("one")) {
			t.Errorf("got %+v, %v", d, err)
		}
		kept.Forget()
	}
	if _, err := task(t, p, "blind", "a.py"); !fault.HasCode(err, hook.CodeProtocol) || !strings.Contains(err.Error(), "has not read") {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerOfATaskThatCannotBeIsALie(t *testing.T) {
	p := newBench(t).plugin(t)
	for what, want := range map[string]string{
		"exit": "ends with 2", "severity": `of severity "bad"`, "file": `"../a.py"`, "edit": `"/etc/passwd"`,
	} {
		if _, err := task(t, p, "odd", what); !fault.HasCode(err, hook.CodeProtocol) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := task(t, p, "odd", "nothing"); err != nil {
		t.Error(err)
	}
}
