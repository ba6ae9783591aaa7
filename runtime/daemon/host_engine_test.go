//go:build linux && engine

package daemon

import (
	"bufio"
	"context"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

func TestRootOfAContainerCannotFillTheRunDirectory(t *testing.T) {
	f := start(t)
	const written = 8 << 20
	c := box()
	c.User = "root"
	before := f.onDisk(f.config.Dirs.Run)
	f.during(c, `
		for to in /proc/1/fd/1 /proc/1/fd/2 /.wr/sock/more; do
			dd if=/dev/zero of=$to bs=1M count=8 2>/dev/null && echo $to
		done
		echo up; while :; do sleep 0.05; done`,
		[]string{"/.wr/sock/more", "up"}, func() {
			// The root file system, of 2 MB, is mounted there and counts as well.
			if grown := f.onDisk(f.config.Dirs.Run) - before; grown >= written {
				t.Errorf("the run directory has grown by %d bytes", grown)
			}
			if held := f.onDisk(f.config.Dirs.Containers()); held < written || held > 2*written {
				t.Errorf("the container's files take %d bytes, %d are written beside the socket", held, written)
			}
		})
}

// during runs a script that does not end, looks when it has printed lines, and
// ends it.
func (f *fixture) during(c spec.Container, script string, lines []string, look func()) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(f.t.Context())
	r, w := pipe(f.t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer w.Close()
		_, _ = f.Run(ctx, c, sh(script), spec.Stdio{Out: w, Err: w})
	}()
	out := bufio.NewScanner(r)
	for _, want := range lines {
		if !out.Scan() || out.Text() != want {
			f.t.Errorf("got line %q, want %q", out.Text(), want)
		}
	}
	if !f.t.Failed() {
		look()
	}
	cancel()
	<-ended
}

// onDisk is what a directory takes.
func (f *fixture) onDisk(dir string) int64 {
	f.t.Helper()
	size, whole := diskUsage(f.t.Context(), dir)
	if !whole {
		f.t.Errorf("%s could not be counted", dir)
	}
	return size
}
