//go:build linux && engine

package containertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Helpers are the programs that a container needs, as host paths.
type Helpers struct {
	Shim, Agent, Runc string
}

// helpersEnv names a directory of helpers that are built already, for a
// machine that has the compiled tests and no go command.
const helpersEnv = "WR_TEST_HELPERS"

// Build puts agent and shim into dir, built from source, and finds runc.
func Build(ctx context.Context, dir string) (Helpers, error) {
	h := Helpers{Shim: filepath.Join(dir, "containerd-shim-runc-v2"), Agent: filepath.Join(dir, "wr-agent")}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Helpers{}, err
	}
	for out, pkg := range map[string]string{h.Shim: "github.com/wr-build/wr/runtime/shim", h.Agent: "github.com/wr-build/wr/runtime/agent/wr-agent"} {
		if err := provide(ctx, out, pkg); err != nil {
			return Helpers{}, err
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return Helpers{}, fmt.Errorf("these tests need runc: apt-get install runc: %w", err)
	}
	h.Runc = runc
	return h, nil
}

// provide links a helper that is built already to out, or builds it.
func provide(ctx context.Context, out, pkg string) error {
	if built := os.Getenv(helpersEnv); built != "" {
		_ = os.Remove(out) // of tests that ran before, where they share a directory
		return os.Symlink(filepath.Join(built, filepath.Base(out)), out)
	}
	build := exec.CommandContext(ctx, "go", "build", "-tags", "no_grpc", "-o", out, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}

// Busybox returns a static busybox: the one on PATH when it is static, else
// the one of the Debian package busybox-static, which is kept in the user's
// cache directory.
func Busybox(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("busybox"); err == nil && static(ctx, path) {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	kept := filepath.Join(cache, "wr", "test", "busybox")
	if static(ctx, kept) {
		return kept, nil
	}
	return kept, fetchBusybox(ctx, kept)
}

// static reports whether path is a program that needs no shared library. Such
// a program runs in an empty root directory.
func static(ctx context.Context, path string) bool {
	_, err := os.Stat(path)
	return err == nil && exec.CommandContext(ctx, "ldd", path).Run() != nil
}

// fetchBusybox downloads and unpacks the package and moves its program to path.
func fetchBusybox(ctx context.Context, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(path), "fetch-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	// apt-get drops its rights to a user who must be able to write here.
	if err := os.Chmod(work, 0o777); err != nil {
		return err
	}
	script := `apt-get -q download busybox-static && dpkg -x busybox-static_*.deb out && mv out/bin/busybox "$1"`
	cmd := exec.CommandContext(ctx, "sh", "-c", script, "sh", path)
	cmd.Dir = work
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("these tests need busybox-static: %w\n%s", err, text)
	}
	return nil
}
