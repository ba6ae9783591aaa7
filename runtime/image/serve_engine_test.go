//go:build linux && engine

package image_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/image"
)

// serveEnv makes this test binary an engine.
const serveEnv = "WR_TEST_SERVE"

// TestMain runs the tests against an engine of their own.
func TestMain(m *testing.M) {
	run := func(*testing.M) int { return exitCode(serve()) }
	if os.Getenv(serveEnv) == "" {
		run = func(m *testing.M) int {
			return containertest.Guard(context.Background(), m, func(m *testing.M) int { return exitCode(withEngine(m)) })
		}
	}
	os.Exit(run(m))
}

// exitCode tells of an error.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// withEngine starts an engine, runs the tests and stops it.
func withEngine(m *testing.M) error {
	if err := os.Setenv("WR_ENGINE_DIR", filepath.Join(containertest.Base(), "e")); err != nil {
		return err
	}
	start := engine.Start{Dirs: dirs(), Args: []string{}, Env: append(os.Environ(), serveEnv+"=1")}
	if err := engine.Up(context.Background(), start); err != nil {
		return err
	}
	code := m.Run()
	if err := stop(dirs()); err != nil {
		return err
	}
	if code != 0 {
		return errors.New("tests failed")
	}
	return nil
}

// dirs are the directories of the engine under test.
func dirs() engine.Dirs {
	d, err := engine.DefaultDirs(os.Getenv, os.Geteuid())
	if err != nil {
		panic(err)
	}
	return d
}

// stop ends the engine and waits for it.
func stop(d engine.Dirs) error {
	hold, ok := engine.Holder(d)
	if !ok {
		return errors.New("the engine ended during the tests")
	}
	fd, err := unix.PidfdOpen(hold.PID, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := syscall.Kill(hold.PID, syscall.SIGTERM); err != nil {
		return err
	}
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000)
	return err
}

// serve is an engine process.
func serve() (err error) {
	ready := engine.ReadyFile()
	ctx, cancel := engine.Signals(context.Background())
	defer cancel()
	d, err := engine.Open(ctx, engine.Config{Dirs: dirs(), Version: "test"})
	if err != nil {
		return errors.Join(err, engine.Ready(ready, err))
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	api, err := d.Listen(d.Dirs().APISocket())
	if err != nil {
		return errors.Join(err, engine.Ready(ready, err))
	}
	defer api.Close()
	if err := engine.Ready(ready, nil); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// connect returns a builder and the bases of the engine.
func connect(t *testing.T) (*image.Builder, *image.Bases) {
	t.Helper()
	builder := image.NewBuilder(image.Config{BuildkitSocket: dirs().BuildkitSocket(), ContainerdSocket: dirs().ContainerdSocket()})
	bases, err := image.OpenBases(dirs().ContainerdSocket())
	must(t, err)
	t.Cleanup(func() {
		if err := errors.Join(builder.Close(), builder.Close(), bases.Close()); err != nil {
			t.Error(err)
		}
	})
	return builder, bases
}

// tiny is a base of a shell and a few programs of this machine. Its registry
// is one that refuses every connection.
const tiny = "127.0.0.1:1/acme/tiny"

// importTiny stores the base tiny.
func importTiny(t *testing.T, bases *image.Bases) {
	t.Helper()
	_, err := image.Import(t.Context(), bases, tiny, func(w io.Writer) error { return tinyTar(t.Context(), w) })
	must(t, err)
}

// tinyTar writes the root file system of tiny.
func tinyTar(ctx context.Context, w io.Writer) error {
	out := tar.NewWriter(w)
	written := map[string]bool{}
	for _, program := range []string{"/bin/dash", "/bin/cat", "/bin/sleep", "/usr/bin/stat", "/usr/bin/test"} {
		listed, err := exec.CommandContext(ctx, "ldd", program).Output()
		if err != nil {
			return err
		}
		name := strings.Replace(filepath.Join("/bin", filepath.Base(program)), "dash", "sh", 1)
		files := map[string]string{name: program}
		for word := range strings.FieldsSeq(string(listed)) {
			if strings.HasPrefix(word, "/") {
				files[word] = word
			}
		}
		for inside, outside := range files {
			if written[inside] {
				continue
			}
			written[inside] = true
			if err := addFile(out, inside, outside); err != nil {
				return err
			}
		}
	}
	return out.Close()
}

// addFile copies a file of this machine into a tar.
func addFile(out *tar.Writer, inside, outside string) error {
	data, err := os.ReadFile(outside)
	if err != nil {
		return err
	}
	if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(inside, "/"), Mode: 0o755, Size: int64(len(data))}); err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%+v", err)
	}
}
