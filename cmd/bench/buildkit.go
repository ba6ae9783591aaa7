package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildkit is a stock BuildKit daemon of the bench's own.
type buildkit struct {
	programs string // directory of buildkitd and buildctl; "" = leave it out
	socket   string
	base     string // OCI layout of the example's base
	digest   string // of that base
}

// startBuildkit starts the daemon and gives it the example's base.
func (b *bench) startBuildkit(ctx context.Context) error {
	k := &b.buildkit
	if k.programs == "" {
		return nil
	}
	dir := filepath.Join(b.dir, "buildkit")
	k.socket, k.base = filepath.Join(dir, "sock"), filepath.Join(dir, "base")
	if err := os.MkdirAll(k.base, 0o700); err != nil {
		return err
	}
	daemon := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(k.programs, "buildkitd"),
		"--root", filepath.Join(dir, "root"), "--addr", "unix://"+k.socket, "--oci-worker-binary", "runc")
	if err := b.serve(ctx, daemon, filepath.Join(dir, "log"), k.control("debug", "workers")); err != nil {
		return err
	}
	if err := (command{argv: []string{"sh", "-c", quoted(b.onEngine("images", "export", "--local", "-", "docker.io/acme/python:latest")) +
		" | tar -xf - -C " + quoted([]string{k.base})}}).run(ctx); err != nil {
		return err
	}
	return k.readDigest()
}

// readDigest learns the digest of the base from its layout.
func (k *buildkit) readDigest() error {
	data, err := os.ReadFile(filepath.Join(k.base, "index.json"))
	if err != nil {
		return err
	}
	var index struct{ Manifests []struct{ Digest string } }
	if err := json.Unmarshal(data, &index); err != nil {
		return err
	}
	if len(index.Manifests) != 1 {
		return fmt.Errorf("the layout of the base has %d manifests", len(index.Manifests))
	}
	k.digest = index.Manifests[0].Digest
	return nil
}

// control is a buildctl command for the daemon.
func (k *buildkit) control(args ...string) []string {
	return append([]string{filepath.Join(k.programs, "buildctl"), "--addr", "unix://" + k.socket}, args...)
}

// build builds the project in dir, as somebody without wr would. What it makes
// stays in the daemon's store, compressed as is its default.
func (k *buildkit) build(dir string) []string {
	return k.control("build", "--frontend", "dockerfile.v0",
		"--local", "context="+dir, "--local", "dockerfile="+filepath.Join(dir, "devops"),
		"--oci-layout", "base="+k.base, "--opt", "context:acme/python=oci-layout://base@"+k.digest,
		"--output", "type=image,name=bench.local/"+filepath.Base(dir))
}

// steps: an image of ten steps that have never run.
func (b *bench) steps() contest {
	return b.buildContest("steps", "build of 10 RUN steps", func(dir string) error {
		var file strings.Builder
		file.WriteString("FROM acme/python\n")
		for step := range 10 {
			fmt.Fprintf(&file, "RUN echo %s > /step%d\n", nonce(), step)
		}
		return write(dir, map[string]string{"devops/Dockerfile": file.String()})
	})
}

// export: an image with a large new layer.
func (b *bench) export() contest {
	return b.buildContest("export", "build and export of a new layer of 70 MB", func(dir string) error {
		data := make([]byte, 35_000_000) // as hexadecimal digits, so that it can be compressed
		_, _ = rand.Read(data)           // never fails
		return write(dir, map[string]string{
			"devops/Dockerfile": "FROM acme/python\nCOPY large /large\n", "large": hex.EncodeToString(data),
		})
	})
}

// buildContest lets wr and the stock daemon build what renew writes anew
// before each build.
func (b *bench) buildContest(name, title string, renew func(dir string) error) contest {
	dir := filepath.Join(b.dir, name)
	before := func(context.Context) error {
		if err := renew(dir); err != nil {
			return err
		}
		return write(dir, map[string]string{"wr.toml": "[workspace]\nname = \"" + name + "\"\n[project]\n"})
	}
	c := contest{title: title, rounds: 7}
	if b.buildkit.programs != "" {
		c.subjects = append(c.subjects, subject{name: "buildctl build, stock buildkitd", before: before, command: command{argv: b.buildkit.build(dir)}})
	}
	c.subjects = append(c.subjects, subject{name: "wr build, unpacked and ready to run", before: before, command: command{dir: dir, argv: []string{b.wr, "build"}}})
	return c
}

// nonce is a word that no cache knows.
func nonce() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
