package vfs_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	wasys "github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/vfs"
)

// guest is testdata/guest, compiled once for all tests.
var guest = sync.OnceValues(func() (func(testing.TB, sys.FS, ...string) string, error) {
	dir, err := os.MkdirTemp("", "wr-guest-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "guest.wasm"), "./testdata/guest")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(out)))
	}
	code, err := os.ReadFile(filepath.Join(dir, "guest.wasm"))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	runtime := wazero.NewRuntime(ctx) // as long as the tests run
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	module, err := runtime.CompileModule(ctx, code)
	if err != nil {
		return nil, err
	}
	return func(t testing.TB, f sys.FS, lines ...string) string {
		t.Helper()
		var out bytes.Buffer
		config := wazero.NewModuleConfig().WithName("").WithArgs(append([]string{"guest"}, lines...)...).WithStdout(&out).WithStderr(&out).
			WithFSConfig(wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(f, "/"))
		m, err := runtime.InstantiateModule(t.Context(), module, config)
		if exit := (*wasys.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 0) {
			t.Fatalf("%v\n%s", err, out.String())
		}
		if m != nil {
			m.Close(t.Context())
		}
		return out.String()
	}, nil
})

// run has a guest do what the lines say; each may end in " = " and what is to be
// printed for it.
func run(t testing.TB, f sys.FS, lines ...string) {
	t.Helper()
	start, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	commands, want := make([]string, len(lines)), make([]string, len(lines))
	for i, line := range lines {
		commands[i], want[i], _ = strings.Cut(line, " = ")
	}
	got := strings.Split(start(t, f, commands...), "\n")
	for i, command := range commands {
		if i >= len(got) || got[i] != command+": "+want[i] {
			t.Errorf("got  %q\nwant %q", at(got, i), command+": "+want[i])
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// mount makes the file system of a directory.
func mount(t testing.TB, dir string, c vfs.Config, globs ...string) *vfs.FS {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if c.Scope, err = scope.New(globs); err != nil {
		t.Fatal(err)
	}
	c.Root = root
	f, err := vfs.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// plant makes files below dir: "a/" is a directory, "a -> b" a link, other names
// are files that hold their own names.
func plant(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, n := range names {
		name, target, link := strings.Cut(n, " -> ")
		at := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case link:
			err = errors.Join(err, os.Symlink(target, at))
		case strings.HasSuffix(name, "/"):
			err = errors.Join(err, os.MkdirAll(at, 0o755))
		default:
			err = errors.Join(err, os.WriteFile(at, []byte(name), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
