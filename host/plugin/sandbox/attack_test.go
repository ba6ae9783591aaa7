package sandbox_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// soon is how long after its deadline something has to be stopped, on a machine
// that does other things as well.
const soon = 5 * time.Second

func TestWhateverAGuestDoesItsDeadlineIsKept(t *testing.T) {
	tests := map[string]moduletest.Module{
		"an endless loop":            moduletest.EndlessLoop(),
		"calls without a loop":       moduletest.Exponential(60),
		"a long sleep":               moduletest.Sleep(),
		"a read of what never comes": moduletest.Read(),
		"a log without end":          moduletest.Flood(2),
		"output that nobody reads":   moduletest.Flood(1),
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			child := begin(t, config(t, m))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			i, err := child.Instance(ctx, sandbox.Command{})
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			_, err = i.Wait()
			if f := fault.Of(err); f == nil || f.Code != sandbox.CodeTimeout || !strings.Contains(f.Message, "shady") || f.Next == "" || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took < 300*time.Millisecond || took > soon {
				t.Errorf("stopped after %s", took)
			}
			if _, err := child.Instance(t.Context(), sandbox.Command{}); !fault.HasCode(err, sandbox.CodeStopped) {
				t.Errorf("who comes too late for the child: got %v", err)
			}
		})
	}
}

func TestALimitIsToldByItsName(t *testing.T) {
	tests := map[string]struct {
		module moduletest.Module
		want   sandbox.End
	}{
		"recursion without end": {moduletest.Recursion(), sandbox.End{Limit: "stack", Trap: "stack overflow"}},
		"more and more memory":  {moduletest.Hoard(), sandbox.End{Limit: "memory", Trap: "unreachable"}},
		"output without end":    {moduletest.Flood(1), sandbox.End{Limit: "output", Trap: "limit of output reached"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := config(t, tt.module)
			c.Limits = sandbox.Limits{Memory: 32 << 20, Output: 1 << 20}
			child := begin(t, c)
			for range 2 { // the child goes on
				out, end, err := run(t.Context(), t, child)
				if err != nil || end.Limit != tt.want.Limit || end.Trap != tt.want.Trap || end.OK() {
					t.Errorf("got %+v, %v", end, err)
				}
				if len(out) > 1<<20 || end.Usage.Memory > 32<<20 {
					t.Errorf("%d bytes of output, %d of memory", len(out), end.Usage.Memory)
				}
			}
		})
	}
}

func TestWhatOnlyTheProcessBoundsIsToldAsMemory(t *testing.T) {
	c := config(t, moduletest.TableHoard())
	c.Limits = sandbox.Limits{Memory: 1 << 20, Instances: 1}
	child := begin(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, _, err := run(ctx, t, child)
	if f := fault.Of(err); f == nil || f.Code != sandbox.CodeMemory || !strings.Contains(f.Next, "limits.memory") {
		t.Errorf("got %v", err)
	}
}

func TestTheEndOfALongLogIsKept(t *testing.T) {
	c := config(t, moduletest.Chatter(100_000, "the end"))
	c.Limits.Log = 10_000
	child := begin(t, c)
	var log strings.Builder
	i, err := child.Instance(t.Context(), sandbox.Command{Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	end, err := i.Wait()
	if err != nil || !strings.HasSuffix(end.Log, "the end") || len(end.Log) > 40_000 {
		t.Errorf("got %d bytes that end in %q, %v", len(end.Log), end.Log[max(0, len(end.Log)-20):], err)
	}
	if got := log.String(); len(got) > 50_000 || !strings.Contains(got, "bytes are left out here") || !strings.HasSuffix(got, "the end") {
		t.Errorf("the whole log has %d bytes", len(got))
	}
}

func TestBombsAreStoppedBeforeTheyAreCompiled(t *testing.T) {
	foreign := moduletest.Return()
	foreign.Imports = []moduletest.Import{{Module: "env", Name: "system"}}
	tests := map[string]struct {
		binary []byte
		code   string
	}{
		"one huge function":   {moduletest.HugeFunction(4 << 20).Bytes(), module.CodeLimit},
		"a million functions": {moduletest.ManyFunctions(1_000_000).Bytes(), module.CodeLimit},
		"giant locals":        {moduletest.GiantLocals(1<<32 - 1).Bytes(), module.CodeLimit},
		"giant tables":        {moduletest.GiantTable(1<<32 - 1).Bytes(), module.CodeLimit},
		"a file too long":     {make([]byte, 65<<20), module.CodeLimit},
		"no module":           {[]byte("#!/bin/sh"), module.CodeInvalid},
		"imports beyond WASI": {foreign.Bytes(), module.CodeImport},
		"16 GB in 64 bytes":   {[]byte("\x00asm\x01\x00\x00\x00\x01\x04\x01`\x00\x00\x03\x05\xcf\xe5\xc7\xd4\x0e"), module.CodeLimit},
		"code that is none":   {moduletest.Command(1, nil, moduletest.Func{Code: []byte{0xff}}).Bytes(), sandbox.CodeCompile},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			err := sandbox.Compile(t.Context(), configOf(t, tt.binary))
			if f := fault.Of(err); f == nil || f.Code != tt.code || f.Next == "" {
				t.Errorf("got %v, want %s", err, tt.code)
			}
			if took := time.Since(began); took > soon {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func TestCompilingIsBounded(t *testing.T) {
	c := config(t, moduletest.HugeFunction(6<<20))
	c.Limits.Module.FunctionSize = 64 << 20 // somebody trusts it
	t.Run("in memory", func(t *testing.T) {
		c.Limits.CompileMemory = 200 << 20
		if err := sandbox.Compile(t.Context(), c); !fault.HasCode(err, sandbox.CodeMemory) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("in time", func(t *testing.T) {
		c.Limits.CompileMemory, c.Limits.CompileTime = 4<<30, 200*time.Millisecond
		began := time.Now()
		err := sandbox.Compile(t.Context(), c)
		if took := time.Since(began); !fault.HasCode(err, sandbox.CodeTimeout) || took > soon {
			t.Errorf("after %s: got %v", took, err)
		}
	})
	if left, err := filepath.Glob(filepath.Join(c.CacheDir, "*", "*", "fresh")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestANeighbourOfAGuestThatIsStoppedCanBeStartedAgain(t *testing.T) {
	c := config(t, moduletest.Echo())
	child := begin(t, c)
	good, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	bad, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer bad.Close()
	call, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	bad.Guard(call)
	if _, err := bad.Wait(); !fault.HasCode(err, sandbox.CodeTimeout) {
		t.Errorf("the slow one: got %v", err)
	}
	if _, err := good.Wait(); !fault.HasCode(err, sandbox.CodeStopped) {
		t.Errorf("its neighbour: got %v", err)
	}
	again := begin(t, c)
	if _, end, err := run(t.Context(), t, again); !end.OK() || err != nil {
		t.Errorf("again: got %+v, %v", end, err)
	}
}

func TestAGuardThatIsReleasedKillsNobody(t *testing.T) {
	child := begin(t, config(t, moduletest.Echo()))
	i, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	call, cancel := context.WithCancel(t.Context())
	i.Guard(call)()
	cancel()
	i.Stdin.Close()
	if end, err := i.Wait(); !end.OK() || err != nil {
		t.Errorf("got %+v, %v", end, err)
	}
}

func TestACancelledRunSaysSo(t *testing.T) {
	child := begin(t, config(t, moduletest.EndlessLoop()))
	ctx, cancel := context.WithCancel(t.Context())
	i, err := child.Instance(ctx, sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	cancel()
	if _, err := i.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNothingButTheRootIsInReach(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	secret := filepath.Join(dir, "secret")
	for _, path := range []string{filepath.Join(root, "file"), secret} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	leak(t)
	c := config(t, moduletest.Read())
	var err error
	if c.Root, err = os.Open(root); err != nil {
		t.Fatal(err)
	}
	defer c.Root.Close()
	if c.Mount, err = json.Marshal(map[string]string{"Root": root, "Secret": secret, "Engine": listen(t)}); err != nil {
		t.Fatal(err)
	}
	child := begin(t, c)
	i, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	notes, err := i.Take()
	if err != nil {
		t.Fatal(err)
	}
	judge(t, child, notes)
}

// judge looks at what the child tells of its own attempts.
func judge(t *testing.T, child *sandbox.Child, notes []byte) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(notes, &got); err != nil {
		t.Fatalf("%v: %s", err, notes)
	}
	t.Logf("%+v: %s", child.Facts(), notes)
	want := map[string]any{"read the root": "works", "environment": "", "become root": got["become root"]}
	for what, result := range got {
		switch expected, known := want[what]; {
		case what == "open":
			if open := result.([]any); slices.Contains(open, any(float64(leaked))) || len(open) > 16 {
				t.Errorf("open files %v", open)
			}
		case known && result != expected:
			t.Errorf("%s: %v", what, result)
		case !known && result == "works":
			t.Errorf("%s works", what)
		}
	}
	if missing := child.Facts().Lacking(); len(missing) > 0 {
		t.Logf("not on this machine: %q", missing)
	}
	if len(got) < 15 {
		t.Errorf("tried only %d things", len(got))
	}
}

func TestNotesCanBeTakenUntilTheInstanceIsClosed(t *testing.T) {
	c := config(t, moduletest.Return())
	var err error
	if c.Root, err = os.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer c.Root.Close()
	child := begin(t, c)
	i, err := child.Instance(t.Context(), sandbox.Command{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Wait(); err != nil {
		t.Fatal(err)
	}
	if notes, err := i.Take(); err != nil || len(notes) < 100 {
		t.Errorf("got %q, %v", notes, err)
	}
	i.Close()
	if notes, err := i.Take(); err == nil {
		t.Errorf("after Close: got %q", notes)
	}
	child.Close()
	if notes, err := i.Take(); err == nil {
		t.Errorf("after the child's end: got %q", notes)
	}
}

func TestAGuestSeesTimeStandStill(t *testing.T) {
	child := begin(t, config(t, moduletest.Clock()))
	out, end, err := run(t.Context(), t, child)
	if err != nil || !end.OK() || len(out) != 8 || int64(binary.LittleEndian.Uint64([]byte(out))) != 1_640_995_200e9 {
		t.Errorf("got %q, %+v, %v", out, end, err)
	}
	again, _, _ := run(t.Context(), t, child)
	if out != again {
		t.Errorf("got %q, then %q", out, again)
	}
	c := config(t, moduletest.Clock())
	c.Clock = true
	if granted, _, _ := run(t.Context(), t, begin(t, c)); granted == out {
		t.Error("a granted clock stands still")
	}
}

// leaked is a descriptor that children would inherit if nobody closed it.
const leaked = 77

func leak(t *testing.T) {
	t.Helper()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := unix.Dup2(int(null.Fd()), leaked); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(leaked) })
}

// listen is a socket that anyone may connect to, as far as its file goes.
func listen(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "wr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "engine")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	return path
}
