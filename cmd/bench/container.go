package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// onEngine is a ctr command on wr's own containerd.
func (b *bench) onEngine(args ...string) []string {
	return append([]string{b.ctr, "-a", b.status.Sockets.Containerd, "-n", "wr"}, args...)
}

// ctrRun runs args in a fresh container of a project, as a shell script would.
func (b *bench) ctrRun(w built, project string, args ...string) []string {
	command := b.onEngine("run", "--rm", "--net-host", "--runtime", b.status.Helpers.Shim.Path,
		"--mount", "type=bind,src="+w.dir+",dst=/app,options=rbind:rw", "--cwd", filepath.Join("/app", project), "--env", "GREETING=welcome")
	for _, variable := range pythonEnv(project) {
		command = append(command, "--env", variable)
	}
	name := "wr-bench-" + strings.NewReplacer("/", "-", ".", "root").Replace(project)
	return append(append(command, w.images[project], name), args...)
}

// pythonEnv is what of the environment of a project matters to Python.
func pythonEnv(project string) []string {
	return []string{"PYTHONPATH=/app:" + filepath.Join("/app", project), "PYTHONDONTWRITEBYTECODE=1"}
}

// mountImage mounts the image of the example's root project, for peers that
// know no images.
func (b *bench) mountImage(ctx context.Context) error {
	if b.ctr == "" {
		return errors.New("ctr is needed to take an image out of the engine; give -ctr")
	}
	b.rootfs = filepath.Join(b.dir, "rootfs")
	if err := os.MkdirAll(b.rootfs, 0o755); err != nil {
		return err
	}
	if err := (command{argv: b.onEngine("images", "mount", "--rw", b.acme.images["."], b.rootfs)}).run(ctx); err != nil {
		return err
	}
	b.closers = append(b.closers, func() {
		_ = command{argv: b.onEngine("images", "unmount", "--rm", b.rootfs)}.run(context.WithoutCancel(ctx))
	})
	return nil
}

// makeBundles makes what runcRun runs.
func (b *bench) makeBundles(ctx context.Context) error {
	return errors.Join(
		b.makeBundle(ctx, b.acme, "true"),
		b.makeBundle(ctx, b.suites.twoHundred, pytestWithReport...),
		b.makeBundle(ctx, b.suites.fiveThousand, pytestWithReport...),
	)
}

// bundle is where the bundle of a workspace is.
func (b *bench) bundle(w built) string { return filepath.Join(b.dir, "bundles", filepath.Base(w.dir)) }

// runcRun runs the bundle of a workspace.
func (b *bench) runcRun(w built) []string {
	return []string{"runc", "--root", filepath.Join(b.dir, "runc"), "run", "--bundle", b.bundle(w), "wr-bench-" + filepath.Base(w.dir)}
}

// ociConfig is what a bundle is made of.
type ociConfig struct {
	Version  string          `json:"ociVersion"`
	Process  map[string]any  `json:"process"`
	Root     map[string]any  `json:"root"`
	Hostname string          `json:"hostname"`
	Mounts   []any           `json:"mounts"`
	Linux    json.RawMessage `json:"linux"`
}

// makeBundle makes a bundle of the mounted image for the bare runtime, which
// runs args in the root project of a workspace. It is the one of `runc spec`,
// with the workspace and the environment that wr gives it.
func (b *bench) makeBundle(ctx context.Context, w built, args ...string) error {
	if err := os.MkdirAll(b.bundle(w), 0o755); err != nil {
		return err
	}
	if err := (command{dir: b.bundle(w), argv: []string{"runc", "spec"}}).run(ctx); err != nil {
		return err
	}
	path := filepath.Join(b.bundle(w), "config.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var config ociConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return fmt.Errorf("what runc spec has made: %w", err)
	}
	config.Process["terminal"], config.Process["args"], config.Process["cwd"] = false, args, "/app"
	config.Process["env"] = append(pythonEnv("."), "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	config.Root["path"] = b.rootfs
	config.Mounts = append(config.Mounts, map[string]any{
		"destination": "/app", "type": "bind", "source": w.dir, "options": []string{"rbind", "rw"},
	})
	if data, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o600)
}
