package sandbox_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// program builds the child, once, as wr is built: static and without the race
// detector.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wr-child")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "child")
	build := exec.Command("go", "build", "-o", path, "./testdata/child")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	if text := os.Getenv(asParent); text != "" {
		beParent(text)
	}
	code := m.Run()
	if path, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// asParent has the test binary be the parent of a child, with the config in it.
const asParent = "WR_TEST_SANDBOX_PARENT"

// beParent starts a child with a guest that loops, says which process it is, and
// waits for its own end.
func beParent(text string) {
	ctx := context.Background()
	var c sandbox.Config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	child, err := sandbox.Start(ctx, c)
	if err != nil {
		panic(err)
	}
	i, err := child.Instance(ctx, sandbox.Command{})
	if err != nil {
		panic(err)
	}
	fmt.Println(child.Pid()) //nolint:forbidigo // a program of its own
	_, _ = i.Wait()
	os.Exit(1)
}

// config is a plugin of a module, with a cache of its own.
func config(t testing.TB, m moduletest.Module) sandbox.Config {
	t.Helper()
	return configOf(t, m.Bytes())
}

func configOf(t testing.TB, binary []byte) sandbox.Config {
	t.Helper()
	child, err := program()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plugin.wasm")
	if err := os.WriteFile(path, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(binary)
	return sandbox.Config{
		Name: "shady", Module: path, Digest: hex.EncodeToString(sum[:]),
		CacheDir: filepath.Join(t.TempDir(), "cache"), Program: child,
	}
}

// begin starts a child that is gone when the test ends.
func begin(t testing.TB, c sandbox.Config) *sandbox.Child {
	t.Helper()
	child, err := sandbox.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Close() })
	return child
}

// run runs an instance to its end, without input.
func run(ctx context.Context, t testing.TB, child *sandbox.Child, args ...string) (string, sandbox.End, error) {
	t.Helper()
	i, err := child.Instance(ctx, sandbox.Command{Args: args})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	i.Stdin.Close()
	out, err := io.ReadAll(i.Stdout)
	if err != nil {
		t.Error(err)
	}
	end, err := i.Wait()
	return string(out), end, err
}

func TestAGuestSpeaksAndEnds(t *testing.T) {
	child := begin(t, config(t, moduletest.Hello("hello\n")))
	out, end, err := run(t.Context(), t, child)
	if out != "hello\n" || err != nil || !end.OK() {
		t.Errorf("got %q, %+v, %v", out, end, err)
	}
	u := end.Usage
	if u.Output != 6 || u.Memory != 65536 || u.Time <= 0 || u.Time > time.Minute || u.Files != 7 || u.Read != 70 {
		t.Errorf("usage %+v", u)
	}
}

func TestAGuestsCodeIsToldAsItIs(t *testing.T) {
	child := begin(t, config(t, moduletest.Exit(7)))
	if _, end, err := run(t.Context(), t, child); end.Exit != 7 || end.OK() || end.Trap != "" || end.Limit != "" || err != nil {
		t.Errorf("got %+v, %v", end, err)
	}
}

func TestATrapIsTheGuestsOwnAndEndsNobodyElse(t *testing.T) {
	child := begin(t, config(t, moduletest.Trap()))
	for range 2 { // the second in the same child
		_, end, err := run(t.Context(), t, child)
		if end.Trap != "unreachable" || strings.Count(end.Trace, "\n") != 2 || !strings.HasPrefix(end.Trace, ".$2()") || err != nil {
			t.Errorf("got %+v, %v", end, err)
		}
	}
}

func TestInstancesRunSideBySide(t *testing.T) {
	c := config(t, moduletest.Echo())
	c.Limits.Instances = 3
	child := begin(t, c)
	var all []*sandbox.Instance
	for range 3 {
		i, err := child.Instance(t.Context(), sandbox.Command{})
		if err != nil {
			t.Fatal(err)
		}
		defer i.Close()
		all = append(all, i)
	}
	for n, i := range all { // each waits for its input while the others are answered
		text := strings.Repeat("x", n+1)
		if _, err := io.WriteString(i.Stdin, text); err != nil {
			t.Fatal(err)
		}
		if got := make([]byte, n+1); !readFull(t, i.Stdout, got) || string(got) != text {
			t.Errorf("instance %d: got %q", n, got)
		}
	}
	full, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrShortBuffer)
	if _, err := child.Instance(full, sandbox.Command{}); err != io.ErrShortBuffer {
		t.Errorf("a fourth: got %v, want the cause of its context", err)
	}
	for _, i := range all {
		i.Stdin.Close()
		if end, err := i.Wait(); !end.OK() || err != nil {
			t.Errorf("got %+v, %v", end, err)
		}
	}
	if _, end, err := run(t.Context(), t, child); !end.OK() || err != nil {
		t.Errorf("after they ended: got %+v, %v", end, err)
	}
}

func readFull(t *testing.T, r io.Reader, b []byte) bool {
	t.Helper()
	_, err := io.ReadFull(r, b)
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

func TestCodeIsCompiledOnceAndVerifiedEachTime(t *testing.T) {
	c := config(t, moduletest.Hello("hello\n"))
	var stages []string
	c.Progress = func(p sandbox.Progress) { stages = append(stages, p.Stage) }
	start := func() {
		t.Helper()
		if out, end, err := run(t.Context(), t, begin(t, c)); out != "hello\n" || !end.OK() || err != nil {
			t.Errorf("got %q, %+v, %v", out, end, err)
		}
	}
	start()
	if got := strings.Join(stages, " "); got != "check compile keep" {
		t.Fatalf("the first start: %q", got)
	}
	start()
	if len(stages) != 3 {
		t.Errorf("the second start compiled: %q", stages)
	}
	for _, pattern := range []string{"code/*/*", "outline.wasm"} {
		stages = nil
		changed := only(t, filepath.Join(c.CacheDir, "wazero-*", "*", pattern))
		text, err := os.ReadFile(changed)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(changed, text, 0o600); err != nil {
			t.Fatal(err)
		}
		start()
		if got := strings.Join(stages, " "); got != "check compile keep" {
			t.Errorf("what was changed is used, %s: %q", pattern, got)
		}
	}
	if info, err := os.Stat(c.CacheDir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the cache: %v, %v, want 0700", info.Mode(), err)
	}
}

func only(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("got %q, %v for %s, want one", found, err, pattern)
	}
	return found[0]
}

func TestOnlyTheModuleThatWasAgreedUponRuns(t *testing.T) {
	c := config(t, moduletest.Hello("hello\n"))
	begin(t, c)
	if err := os.WriteFile(c.Module, moduletest.Hello("other\n").Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, end, err := run(t.Context(), t, begin(t, c)); out != "hello\n" || !end.OK() || err != nil {
		t.Errorf("got %q, %+v, %v: what was compiled is what was agreed upon", out, end, err)
	}
	c.CacheDir = t.TempDir()
	if _, err := sandbox.Start(t.Context(), c); !fault.HasCode(err, sandbox.CodeDigest) {
		t.Errorf("got %v, want %s", err, sandbox.CodeDigest)
	}
}
