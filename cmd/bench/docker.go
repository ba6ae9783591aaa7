package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// startDocker starts a Docker daemon of the bench's own and gives it the image.
func (b *bench) startDocker(ctx context.Context) error {
	if b.docker == "" {
		return nil
	}
	dir := filepath.Join(b.dir, "docker")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	daemon := exec.CommandContext(context.WithoutCancel(ctx), b.dockerProgram("dockerd"), "--host", "unix://"+b.dockerSocket(),
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"),
		"--pidfile", filepath.Join(dir, "pid"), "--bridge", "none", "--iptables=false")
	daemon.Env = b.dockerEnv()
	if err := b.serve(ctx, daemon, filepath.Join(dir, "log"), []string{b.dockerProgram("docker"), "info"}); err != nil {
		return err
	}
	image := fmt.Sprintf("tar -C %q -cf - . | %q import - acme >&2", b.rootfs, b.dockerProgram("docker"))
	if err := (command{env: b.dockerEnv(), argv: []string{"sh", "-c", image}}).run(ctx); err != nil {
		return err
	}
	return command{env: b.dockerEnv(), argv: []string{
		b.dockerProgram("docker"), "run", "--detach", "--network", "host", "--name", "kept", "acme", "sleep", "1000000",
	}}.run(ctx)
}

func (b *bench) dockerSocket() string { return filepath.Join(b.dir, "docker", "sock") }

// dockerProgram is a program of the unpacked docker packages.
func (b *bench) dockerProgram(name string) string {
	for _, folder := range []string{"usr/bin", "usr/sbin"} {
		if path := filepath.Join(b.docker, folder, name); exists(path) {
			return path
		}
	}
	return name
}

func (b *bench) dockerEnv() []string {
	return append(os.Environ(), "DOCKER_HOST=unix://"+b.dockerSocket(),
		"PATH="+filepath.Join(b.docker, "usr/bin")+":"+filepath.Join(b.docker, "usr/sbin")+":"+os.Getenv("PATH"))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
