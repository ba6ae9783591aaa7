package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	buildkit "github.com/moby/buildkit/client"
	digest "github.com/opencontainers/go-digest"

	"github.com/wr-build/wr/runtime/spec"
)

func TestProgressReportsEachChangeOnce(t *testing.T) {
	var got []string
	p := newProgress(func(s spec.Step) {
		got = append(got, fmt.Sprintf("%s done=%v cached=%v log=%q error=%q", s.Name, s.Done, s.Cached, s.Log, s.Error))
	})
	at := time.Unix(1, 0)
	d := digest.FromString("x")
	waiting := buildkit.Vertex{Digest: d, Name: "[1/1] RUN x"}
	running, failed := waiting, waiting
	running.Started = &at
	failed.Started, failed.Completed, failed.Error = &at, &at, "exit code: 1"
	for _, v := range []buildkit.Vertex{waiting, running, running} {
		p.update(&buildkit.SolveStatus{Vertexes: []*buildkit.Vertex{&v}})
	}
	p.update(&buildkit.SolveStatus{Logs: []*buildkit.VertexLog{{Vertex: d, Data: []byte("one\ntw")}, {Vertex: d, Data: []byte("o\n")}}})
	p.update(&buildkit.SolveStatus{Vertexes: []*buildkit.Vertex{&failed}})
	want := []string{
		`[1/1] RUN x done=false cached=false log="" error=""`,
		`[1/1] RUN x done=false cached=false log="one\ntw" error=""`,
		`[1/1] RUN x done=false cached=false log="o\n" error=""`,
		`[1/1] RUN x done=true cached=false log="" error="exit code: 1"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := p.output(); got != "one\ntwo" {
		t.Errorf("got output %q", got)
	}
}

func TestProgressBlamesTheStepThatFailedByItself(t *testing.T) {
	p := newProgress(nil)
	at := time.Unix(1, 0)
	for _, v := range []buildkit.Vertex{{Name: "other", Error: "rpc error: context canceled"}, {Name: "guilty", Error: "exit code: 1"}, {Name: "later", Error: "exit code: 2"}} {
		v.Digest, v.Started = digest.FromString(v.Name), &at
		p.update(&buildkit.SolveStatus{Vertexes: []*buildkit.Vertex{&v}})
	}
	if p.failed == nil || p.failed.last.Name != "guilty" {
		t.Errorf("got %+v", p.failed)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var kept tail
	for i := range 100 {
		kept.add(fmt.Sprintf("line %d\npart", i))
		kept.add(" ")
	}
	lines := strings.Split(kept.text(), "\n")
	if len(lines) != tailLines+1 || lines[0] != "part line 70" || lines[tailLines] != "part " {
		t.Errorf("got %d lines from %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
}

func TestFamiliarNames(t *testing.T) {
	for ref, want := range map[string]string{
		"docker.io/acme/python:latest": "acme/python",
		"docker.io/library/debian:12":  "debian:12",
		"ghcr.io/acme/x:latest":        "ghcr.io/acme/x",
		"Not A Reference":              "Not A Reference",

		"docker.io/library/busybox@sha256:" + strings.Repeat("0", 64): "busybox@sha256:" + strings.Repeat("0", 64),
	} {
		if got := familiar(ref); got != want {
			t.Errorf("%s: got %s, want %s", ref, got, want)
		}
	}
}

func TestOnlyALostSnapshotIsTriedOnceMore(t *testing.T) {
	lost := errors.New("failed to prepare x: parent snapshot sha256:1 does not exist: not found")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	cases := []struct {
		name  string
		ctx   context.Context //nolint:containedctx // a table
		errs  []error
		tries int
		err   error
	}{
		{"success", t.Context(), []error{nil}, 1, nil},
		{"lost and found", t.Context(), []error{lost, nil}, 2, nil},
		{"lost twice", t.Context(), []error{lost, lost}, 2, lost},
		{"another error", t.Context(), []error{io.EOF}, 1, io.EOF},
		{"cancelled", cancelled, []error{lost}, 1, lost},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tries, notes := 0, 0
			err := onceMore(c.ctx, func(string) { notes++ }, func() error {
				tries++
				return c.errs[tries-1]
			})
			if !errors.Is(err, c.err) || tries != c.tries || notes != tries-1 {
				t.Errorf("got %v after %d tries and %d notes", err, tries, notes)
			}
		})
	}
}
