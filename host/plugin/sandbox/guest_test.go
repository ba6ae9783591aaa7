package sandbox_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wr-build/wr/host/plugin/sandbox"
)

// guest is a Go program, built for WASI once.
var guest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wr-guest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "guest.wasm")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "./testdata/guest")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func guestConfig(t testing.TB) sandbox.Config {
	t.Helper()
	binary, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	c := configOf(t, binary)
	c.CacheDir = filepath.Join(filepath.Dir(c.Program), "cache") // compiling it takes a second
	return c
}

func TestAGoProgramIsAGuest(t *testing.T) {
	c := guestConfig(t)
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.Root, err = os.Open(root); err != nil {
		t.Fatal(err)
	}
	defer c.Root.Close()
	c.Limits.Memory = 64 << 20
	child := begin(t, c)
	tests := map[string]struct {
		args  []string
		out   string
		exit  int
		limit string
		log   string // in it
	}{
		"it reads files":                        {[]string{"tool", "read", "/file"}, "content <nil>\n", 0, "", "/src"},
		"its clock stands still, its sleep not": {[]string{"tool", "sleep"}, "2022-01-01T00:00:00Z true true\n", 0, "", "/src"},
		"its panic says where":                  {[]string{"tool", "panic"}, "", 2, "", "guest/main.go:18"},
		"it runs out of memory":                 {[]string{"tool", "hoard"}, "", 2, "memory", "out of memory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			i, err := child.Instance(t.Context(), sandbox.Command{Args: tt.args, Env: []string{"PWD=/src"}})
			if err != nil {
				t.Fatal(err)
			}
			defer i.Close()
			out, _ := io.ReadAll(i.Stdout)
			end, err := i.Wait()
			if end.Usage.Time > 10*time.Second { // a sleep that does not move the clock is slept again and again
				t.Errorf("took %s", end.Usage.Time)
			}
			if err != nil || string(out) != tt.out || end.Exit != tt.exit || end.Limit != tt.limit || !strings.Contains(end.Log, tt.log) {
				t.Errorf("got %q, %+v, %v", out, end, err)
			}
		})
	}
}

func TestASessionGoesBackAndForth(t *testing.T) {
	child := begin(t, guestConfig(t))
	i, err := child.Instance(t.Context(), sandbox.Command{Args: []string{"tool", "echo"}})
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	lines := bufio.NewReader(i.Stdout)
	for range 100 {
		if _, err := io.WriteString(i.Stdin, `{"a":[1,2,3]}`+"\n"); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); line != `{"a":[1,2,3]} <nil>`+"\n" || err != nil {
			t.Fatalf("got %q, %v", line, err)
		}
	}
	i.Stdin.Close()
	if end, err := i.Wait(); !end.OK() || err != nil {
		t.Errorf("got %+v, %v", end, err)
	}
}

// BenchmarkStart is from nothing to the first answer of a Go program of 3 MB whose
// code is compiled: in a child, with the programs that make has built, and beside
// it in this process, unverified and unbounded.
func BenchmarkStart(b *testing.B) {
	c := guestConfig(b)
	for name, path := range map[string]string{"wr-plugin": "../../../bin/helper/wr-plugin", "wr": "../../../bin/wr"} {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		b.Run(name, func(b *testing.B) {
			root, err := os.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer root.Close()
			c := c
			c.Program, c.Root, c.Mount = absolute(b, path), root, []byte("{}")
			benchmarkChild(b, c)
		})
	}
	b.Run("child", func(b *testing.B) { benchmarkChild(b, c) })
	b.Run("here", benchmarkHere)
}

func absolute(b *testing.B, path string) string {
	b.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		b.Fatal(err)
	}
	return path
}

func benchmarkChild(b *testing.B, c sandbox.Config) {
	b.Helper()
	if err := sandbox.Compile(b.Context(), c); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		child, err := sandbox.Start(b.Context(), c)
		if err != nil {
			b.Fatal(err)
		}
		i, err := child.Instance(b.Context(), sandbox.Command{Args: []string{"tool", "echo"}})
		if err != nil {
			b.Fatal(err)
		}
		if err := answer(i.Stdin, bufio.NewReader(i.Stdout)); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		i.Close()
		child.Close()
		b.StartTimer()
	}
}

// answer has a guest echo one line.
func answer(stdin io.Writer, stdout *bufio.Reader) error {
	if _, err := io.WriteString(stdin, "1\n"); err != nil {
		return err
	}
	line, err := stdout.ReadString('\n')
	if err == nil && line != "1 <nil>\n" {
		err = errors.New(line)
	}
	return err
}

func benchmarkHere(b *testing.B) {
	binary, err := guest()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	if err := startHere(b.Context(), dir, binary); err != nil { // compiles
		b.Fatal(err)
	}
	for b.Loop() {
		if err := startHere(b.Context(), dir, binary); err != nil {
			b.Fatal(err)
		}
	}
}

// startHere is the least that wazero has to do.
func startHere(ctx context.Context, dir string, binary []byte) error {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return err
	}
	defer cache.Close(ctx)
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return err
	}
	module, err := r.CompileModule(ctx, binary)
	if err != nil {
		return err
	}
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.InstantiateModule(ctx, module, wazero.NewModuleConfig().WithArgs("tool", "echo").WithStdin(stdin).WithStdout(stdout))
		done <- err
	}()
	err = answer(in, bufio.NewReader(out))
	_ = in.Close()
	return errors.Join(err, <-done)
}

// BenchmarkCall is one line there and back with an instance that waits for it.
func BenchmarkCall(b *testing.B) {
	child := begin(b, guestConfig(b))
	i, err := child.Instance(b.Context(), sandbox.Command{Args: []string{"tool", "echo"}})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close()
	lines := bufio.NewReader(i.Stdout)
	for b.Loop() {
		if err := answer(i.Stdin, lines); err != nil {
			b.Fatal(err)
		}
	}
}
