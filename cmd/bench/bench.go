package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// bench is the machine made ready: images built, a bundle for the bare
// runtime, the peers started.
type bench struct {
	wr, ctr, docker string
	turbo           string
	dir             string // temporary, everything of the bench
	rootfs          string // the mounted image, for the peers
	hello           string // a Go program that does nothing
	project         string // workspace of many small projects
	large           string // a project with many files in its image
	acme            built
	suites          suites
	plugins         plugins
	status          status
	buildkit        buildkit
	closers         []func()
}

// status is the part of `wr engine status --json` that the bench needs.
type status struct {
	PID     int
	Sockets struct{ Containerd string }
	Helpers struct{ Shim struct{ Path string } }
}

const acme = "examples/acme"

// open makes the directory of the bench.
func (b *bench) open() (err error) {
	b.dir, err = os.MkdirTemp("", "wrb")
	b.closers = append(b.closers, func() { _ = os.RemoveAll(b.dir) })
	return err
}

// openEngine makes ready what the other contests need.
func (b *bench) openEngine(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		b.buildHello, b.makeProjects, b.buildAcme, b.makeLarge, b.makeSuites, b.readStatus, b.mountImage, b.makeBundles, b.startDocker, b.startBuildkit,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// close ends what open started, in reverse order.
func (b *bench) close() {
	for _, v := range slices.Backward(b.closers) {
		v()
	}
}

// describe says what is measured and on what.
func (b *bench) describe(w io.Writer) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Fprintf(w, "%d cores, Linux %s, %s\n", runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version())
	for _, peer := range []struct{ name, at string }{{"ctr", b.ctr}, {"docker", b.docker}, {"buildkitd", b.buildkit.programs}, {"turbo", b.turbo}} {
		if peer.at == "" {
			fmt.Fprintf(w, "left out: %s is not here\n", peer.name)
		}
	}
}

func (b *bench) buildHello(ctx context.Context) error {
	source := filepath.Join(b.dir, "hello.go")
	b.hello = filepath.Join(b.dir, "hello")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(\"hello\") }\n"), 0o600); err != nil {
		return err
	}
	return command{argv: []string{"go", "build", "-ldflags", "-s -w", "-o", b.hello, source}}.run(ctx)
}

// killEngine ends the engine as a crash would.
func (b *bench) killEngine(ctx context.Context) error {
	if err := (command{argv: []string{b.wr, "engine", "up"}}).run(ctx); err != nil {
		return err
	}
	if err := b.readStatus(ctx); err != nil {
		return err
	}
	engine, err := os.FindProcess(b.status.PID)
	if err != nil {
		return err
	}
	if err := engine.Kill(); err != nil {
		return err
	}
	for engine.Signal(syscall.Signal(0)) == nil && ctx.Err() == nil {
		runtime.Gosched()
	}
	return nil
}

func (b *bench) readStatus(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, b.wr, "engine", "status", "--json").Output()
	if err != nil {
		return fmt.Errorf("wr engine status: %w", err)
	}
	return json.Unmarshal(out, &b.status)
}
