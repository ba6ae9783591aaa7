package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	dir             string // temporary, everything of the bench
	rootfs          string // the mounted image, for the peers
	hello           string // a Go program that does nothing
	project         string // workspace of many small projects
	large           string // a project with many files in its image
	status          status
	images          map[string]string // project path -> image reference
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

// open makes everything ready.
func (b *bench) open(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "wrb"); err != nil {
		return err
	}
	b.closers = append(b.closers, func() { _ = os.RemoveAll(b.dir) })
	for _, step := range []func(context.Context) error{
		b.buildHello, b.makeProjects, b.buildImages, b.makeLarge, b.readStatus, b.mountImage, b.startDocker, b.startBuildkit,
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
	for name, there := range map[string]bool{"ctr": b.ctr != "", "docker": b.docker != "", "buildkitd": b.buildkit.programs != ""} {
		if !there {
			fmt.Fprintf(w, "left out: %s is not here\n", name)
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

// makeProjects writes a workspace of ten projects of ten files each.
func (b *bench) makeProjects(context.Context) error {
	b.project = filepath.Join(b.dir, "ten")
	files := map[string]string{"wr.toml": "[workspace]\nname = \"ten\"\n"}
	for p := range 10 {
		files[fmt.Sprintf("p%d/devops/Dockerfile", p)] = "FROM acme/python\n"
		for f := range 9 {
			files[fmt.Sprintf("p%d/test/test_%d.py", p, f)] = "def test():\n    pass\n"
		}
	}
	return write(b.project, files)
}

// makeLarge writes a project with 300 files in its image, and builds it.
func (b *bench) makeLarge(ctx context.Context) error {
	b.large = filepath.Join(b.dir, "large")
	files := map[string]string{
		"wr.toml":           "[workspace]\nname = \"large\"\n[project]\n",
		"devops/Dockerfile": "FROM acme/python\nCOPY src /src\n",
	}
	for f := range 300 {
		files[fmt.Sprintf("src/d%d/f%d.py", f%20, f)] = fmt.Sprintln("x =", f)
	}
	if err := write(b.large, files); err != nil {
		return err
	}
	return command{dir: b.large, argv: []string{b.wr, "build"}}.run(ctx)
}

// write makes files below dir.
func write(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
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

// buildImages makes the example's bases and images and learns their names.
func (b *bench) buildImages(ctx context.Context) error {
	for _, args := range [][]string{{"image", "base", "create"}, {"build", "--recursive"}} {
		if err := (command{argv: append([]string{b.wr, "-C", acme}, args...)}).run(ctx); err != nil {
			return err
		}
	}
	out, err := exec.CommandContext(ctx, b.wr, "-C", acme, "build", "--recursive", "--dry-run", "--json").Output()
	if err != nil {
		return fmt.Errorf("wr build --dry-run: %w", err)
	}
	var plan struct {
		Actions []struct {
			Project string
			Build   struct{ Ref string }
		}
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		return err
	}
	b.images = map[string]string{}
	for _, a := range plan.Actions {
		b.images[a.Project] = a.Build.Ref
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

// onEngine is a ctr command on wr's own containerd.
func (b *bench) onEngine(args ...string) []string {
	return append([]string{b.ctr, "-a", b.status.Sockets.Containerd, "-n", "wr"}, args...)
}

// mountImage mounts the image of the root project and makes a bundle of it
// for the bare runtime.
func (b *bench) mountImage(ctx context.Context) error {
	if b.ctr == "" {
		return errors.New("ctr is needed to take an image out of the engine; give -ctr")
	}
	bundle := filepath.Join(b.dir, "bundle")
	b.rootfs = filepath.Join(bundle, "rootfs")
	if err := os.MkdirAll(b.rootfs, 0o755); err != nil {
		return err
	}
	if err := (command{argv: b.onEngine("images", "mount", "--rw", b.images["."], b.rootfs)}).run(ctx); err != nil {
		return err
	}
	b.closers = append(b.closers, func() {
		_ = command{argv: b.onEngine("images", "unmount", "--rm", b.rootfs)}.run(context.WithoutCancel(ctx))
	})
	if err := (command{dir: bundle, argv: []string{"runc", "spec"}}).run(ctx); err != nil {
		return err
	}
	path := filepath.Join(bundle, "config.json")
	config, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	config = bytes.Replace(config, []byte(`"terminal": true`), []byte(`"terminal": false`), 1)
	config = bytes.Replace(config, []byte(`"sh"`), []byte(`"true"`), 1)
	return os.WriteFile(path, config, 0o600)
}
