package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/sandbox"
)

func TestSeveralThatWantTheSameCodeCompileItOnce(t *testing.T) {
	c := config(t, moduletest.ManyFunctions(5000))
	var compiled atomic.Int32
	c.Progress = func(p sandbox.Progress) {
		if p.Stage == sandbox.StageCompile {
			compiled.Add(1)
		}
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			if i%2 == 0 {
				if err := sandbox.Compile(t.Context(), c); err != nil {
					t.Error(err)
				}
				return
			}
			child, err := sandbox.Start(t.Context(), c)
			if err != nil {
				t.Error(err)
				return
			}
			child.Close()
		})
	}
	all.Wait()
	if n := compiled.Load(); n != 1 {
		t.Errorf("compiled %d times", n)
	}
}

func TestWaitingForWhoCompilesCanBeCalledOff(t *testing.T) {
	c := config(t, moduletest.Return())
	if err := sandbox.Compile(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Open(only(t, filepath.Join(c.CacheDir, "*", "*", "lock")))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var told []string
	c.Progress = func(p sandbox.Progress) { told = append(told, p.Stage) }
	if err := sandbox.Compile(ctx, c); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "another wr that compiles plugin shady") {
		t.Errorf("got %v", err)
	}
	if !slices.Equal(told, []string{sandbox.StageWait}) {
		t.Errorf("meanwhile it tells %q", told)
	}
}

func TestCodeOfAnotherWazeroOrProcessorIsMadeAgain(t *testing.T) {
	tests := map[string]string{ // what is renamed, below the folder's code
		"another wazero":    "*",
		"another processor": "*/*",
	}
	for name, pattern := range tests {
		t.Run(name, func(t *testing.T) {
			c := config(t, moduletest.Hello("hello\n"))
			if err := sandbox.Compile(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Dir(only(t, filepath.Join(c.CacheDir, "*", "*", "code")))
			old := only(t, filepath.Join(folder, "code", pattern))
			rename(t, old, old+"0", filepath.Join(folder, "record.json"))
			stages := 0
			c.Progress = func(sandbox.Progress) { stages++ }
			out, end, err := run(t.Context(), t, begin(t, c))
			if out != "hello\n" || !end.OK() || err != nil || stages != 3 {
				t.Errorf("got %q, %+v, %v after %d stages", out, end, err, stages)
			}
		})
	}
}

func TestWhatWasUsedLastIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	starts := func(text string, size int64) (compiled bool) {
		t.Helper()
		c := config(t, moduletest.Hello(text))
		c.CacheDir, c.CacheSize, c.Progress = dir, size, func(sandbox.Progress) { compiled = true }
		begin(t, c)
		return compiled
	}
	starts("a", 0)
	starts("b", 0)
	records, err := filepath.Glob(filepath.Join(dir, "*", "*", "record.json"))
	if err != nil || len(records) != 2 {
		t.Fatalf("got %q, %v", records, err)
	}
	for _, r := range records {
		if err := os.Chtimes(r, time.Unix(0, 0), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := sandbox.Kept(dir)
	if err != nil || len(kept) != 2 {
		t.Fatalf("got %v, %v", kept, err)
	}
	if starts("a", 0) {
		t.Fatal("a was there and was compiled")
	}
	starts("c", 2*kept[0].Size+kept[0].Size/2) // room for two
	if starts("a", 0) {
		t.Error("a, which was used after b, went")
	}
	if starts("c", 0) {
		t.Error("c, which was compiled last, went")
	}
	if !starts("b", 0) {
		t.Error("b, which was not used for the longest time, stayed")
	}
}

func TestCodeThatNobodyNeedsGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	compile := func(text string) sandbox.Config {
		t.Helper()
		c := config(t, moduletest.Hello(text))
		c.CacheDir = dir
		if err := sandbox.Compile(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	pinned, other := compile("pinned"), compile("other")
	unused := func(since time.Time, needed ...string) []sandbox.Code {
		t.Helper()
		all, err := sandbox.Unused(dir, since, needed)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if all := unused(time.Now().Add(-time.Hour)); len(all) != 0 {
		t.Errorf("just compiled, and unused: %+v", all)
	}
	all := unused(time.Now().Add(time.Hour), pinned.Digest)
	if len(all) != 1 || all[0].Size == 0 || all[0].Used.IsZero() {
		t.Fatalf("got %+v, want the other one", all)
	}
	if err := all[0].Remove(); err != nil {
		t.Fatal(err)
	}
	stages := 0
	for _, c := range []*sandbox.Config{&pinned, &other} {
		c.Progress = func(sandbox.Progress) { stages++ }
	}
	if err := sandbox.Compile(t.Context(), pinned); err != nil || stages != 0 {
		t.Errorf("the one that is pinned was compiled again: %d stages, %v", stages, err)
	}
	if err := sandbox.Compile(t.Context(), other); err != nil || stages == 0 {
		t.Errorf("the other one was not, %v", err)
	}
}

// rename renames a file or directory, and what the record says of it.
func rename(t *testing.T, from, to, record string) {
	t.Helper()
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), filepath.Base(from), filepath.Base(to), 1)
	if changed == string(text) {
		t.Fatalf("%s does not name %s", text, from)
	}
	if err := errors.Join(os.Rename(from, to), os.WriteFile(record, []byte(changed), 0o600)); err != nil {
		t.Fatal(err)
	}
}
