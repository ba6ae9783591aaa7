package inputs_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// sample is an image that copies src and reqs.txt of a small project.
func sample(t testing.TB) inputs.Image {
	t.Helper()
	return inputs.Image{
		Context: tree(t, map[string]string{
			"src/main.py":         "print(1)",
			"src/data/x.csv":      "1,2",
			"src/link":            "-> data/x.csv",
			"src/gen/a.tmp":       "tmp",
			"reqs.txt":            "pytest",
			"test/test_main.py":   "def test(): pass",
			".dockerignore":       "**/*.tmp\n",
			"devops/Dockerfile":   "FROM acme/py",
			"devops/other/readme": "x",
		}),
		Dockerfile: "devops/Dockerfile",
		Data:       []byte("FROM acme/py\nCOPY src reqs.txt /app/\n"),
		Args:       map[string]string{"A": "1", "B": "2"},
		Platform:   "linux/amd64",
		Bases:      map[string]string{"docker.io/acme/py:latest": "sha256:1"},
		Secrets:    []string{"token"},
		Recipe:     spec.Recipe{Bases: []string{"docker.io/acme/py:latest"}, Sources: []string{"reqs.txt", "src"}},
	}
}

// key computes a key that must exist.
func key(t testing.TB, in inputs.Image) inputs.Key {
	t.Helper()
	k, err := inputs.Of(t.Context(), in)
	must(t, err)
	return k
}

func TestKeyChangesWithWhatEndsInTheImage(t *testing.T) {
	path := func(in *inputs.Image, name string) string { return filepath.Join(in.Context, name) }
	cases := []struct {
		name    string
		change  func(t *testing.T, in *inputs.Image)
		changes []string // kind and name of what Diff must say; nil = the same key
	}{
		{"nothing", func(*testing.T, *inputs.Image) {}, nil},
		{"edit", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "src/main.py", "print(2)") }, []string{"file src/main.py"}},
		{"edit of the same size and time", func(t *testing.T, in *inputs.Image) {
			at := time.Unix(1e9, 0)
			must(t, os.Chtimes(path(in, "reqs.txt"), at, at))
			key(t, *in)
			put(t, in.Context, "reqs.txt", "pylint")
			must(t, os.Chtimes(path(in, "reqs.txt"), at, at))
		}, []string{"file reqs.txt"}},
		{"touch", func(t *testing.T, in *inputs.Image) {
			must(t, os.Chtimes(path(in, "src/main.py"), time.Unix(1, 0), time.Unix(1, 0)))
		}, nil},
		{"edit outside of COPY", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "test/test_main.py", "x") }, nil},
		{"new file outside of COPY", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "test/new", "x") }, nil},
		{"new file", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "src/new", "x") }, []string{"file src/new"}},
		{"new empty directory", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "src/empty/", "") }, []string{"file src/empty"}},
		{"removed file", func(t *testing.T, in *inputs.Image) { must(t, os.Remove(path(in, "src/data/x.csv"))) }, []string{"file src/data/x.csv"}},
		{"renamed file", func(t *testing.T, in *inputs.Image) {
			must(t, os.Rename(path(in, "src/main.py"), path(in, "src/app.py")))
		}, []string{"file src/app.py", "file src/main.py"}},
		{"a file becomes a directory", func(t *testing.T, in *inputs.Image) {
			must(t, os.Remove(path(in, "reqs.txt")))
			put(t, in.Context, "reqs.txt/", "")
		}, []string{"file reqs.txt"}},
		{"chmod +x", func(t *testing.T, in *inputs.Image) { must(t, os.Chmod(path(in, "src/main.py"), 0o755)) }, []string{"file src/main.py"}},
		// Of a mode only what git records reaches the image (spec.ContextMode), so that a
		// checkout under another umask is the same image.
		{"chmod g+w", func(t *testing.T, in *inputs.Image) { must(t, os.Chmod(path(in, "src/main.py"), 0o664)) }, nil},
		{"chmod go-rwx on a directory", func(t *testing.T, in *inputs.Image) { must(t, os.Chmod(path(in, "src"), 0o700)) }, nil},
		{"link to another target", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "src/link", "-> main.py") }, []string{"file src/link"}},
		{"link becomes a file of the same content", func(t *testing.T, in *inputs.Image) {
			must(t, os.Remove(path(in, "src/link")))
			put(t, in.Context, "src/link", "1,2")
		}, []string{"file src/link"}},
		{"edit of an ignored file", func(t *testing.T, in *inputs.Image) { put(t, in.Context, "src/gen/a.tmp", "x") }, nil},
		{".dockerignore that takes a file away", func(t *testing.T, in *inputs.Image) {
			put(t, in.Context, ".dockerignore", "**/*.tmp\nsrc/data\n")
		}, []string{"file src/data", "file src/data/x.csv"}},
		{".dockerignore that gives a file back", func(t *testing.T, in *inputs.Image) {
			put(t, in.Context, ".dockerignore", "**/*.tmp\n!src/gen/a.tmp\n")
		}, []string{"file src/gen/a.tmp"}},
		{".dockerignore comment", func(t *testing.T, in *inputs.Image) {
			put(t, in.Context, ".dockerignore", "# why\n**/*.tmp\ntest\n")
		}, nil},
		{"ignore file of the Dockerfile itself", func(t *testing.T, in *inputs.Image) {
			put(t, in.Context, "devops/Dockerfile.dockerignore", "reqs.txt\n")
		}, []string{"file reqs.txt", "file src/gen/a.tmp"}},
		{"lines in place of .dockerignore", func(_ *testing.T, in *inputs.Image) {
			in.Ignore = []string{"**", "!src", "**/*.csv"}
		}, []string{"file reqs.txt", "file src/data/x.csv", "file src/gen/a.tmp"}},
		{"Dockerfile comment", func(_ *testing.T, in *inputs.Image) { in.Data = append([]byte("# x\n"), in.Data...) }, []string{"dockerfile "}},
		{"argument", func(_ *testing.T, in *inputs.Image) { in.Args = map[string]string{"A": "1", "B": "3"} }, []string{"arg B"}},
		{"argument less", func(_ *testing.T, in *inputs.Image) { in.Args = map[string]string{"A": "1"} }, []string{"arg B"}},
		{"target", func(_ *testing.T, in *inputs.Image) { in.Target = "dev" }, []string{"target "}},
		{"a layer of wr's", func(_ *testing.T, in *inputs.Image) { in.Layer = &spec.Layer{Files: map[string]string{"/a": "1"}} }, []string{"layer "}},
		{"platform", func(_ *testing.T, in *inputs.Image) { in.Platform = "linux/arm64" }, []string{"platform "}},
		{"base", func(_ *testing.T, in *inputs.Image) {
			in.Bases = map[string]string{"docker.io/acme/py:latest": "sha256:2"}
		}, []string{"base docker.io/acme/py:latest"}},
		{"secret id", func(_ *testing.T, in *inputs.Image) { in.Secrets = []string{"token", "key"} }, []string{"secret key"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in := sample(t)
			in.Index = inputs.OpenIndex(filepath.Join(t.TempDir(), "index"))
			before := key(t, in)
			c.change(t, &in)
			after := key(t, in)
			if got, want := after.Digest == before.Digest, c.changes == nil; got != want {
				t.Errorf("same key: got %v, want %v", got, want)
			}
			var got []string
			for _, d := range inputs.Diff(before, after) {
				got = append(got, string(d.Kind)+" "+d.Name)
			}
			if !slices.Equal(got, c.changes) {
				t.Errorf("diff: got %q, want %q", got, c.changes)
			}
		})
	}
}

func TestKeyIsTheSameOnAnotherMachine(t *testing.T) {
	a, b := sample(t), sample(t)
	b.Args = maps.Clone(a.Args)
	b.Recipe.Sources = []string{"src", "reqs.txt"}
	must(t, os.Chtimes(filepath.Join(b.Context, "reqs.txt"), time.Unix(1, 0), time.Unix(1, 0)))
	if got, want := key(t, b).Digest, key(t, a).Digest; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(key(t, a).Digest) != 64 {
		t.Errorf("got digest %q", key(t, a).Digest)
	}
}

// The key is a promise to registries and caches: if this test fails, what
// others have built is lost. Change version with it, on purpose.
func TestKeyIsStableOverReleases(t *testing.T) {
	const want = "24c96734dd80b0a90706cf4a23b5959229c29be2e050ed8da1e9383c811945c8"
	if got := key(t, sample(t)).Digest; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPartsCannotBeMistakenForEachOther(t *testing.T) {
	a, b := sample(t), sample(t)
	a.Args, b.Args = map[string]string{"A": "1", "B": "2"}, map[string]string{"A": "1\x00argB2"}
	a.Recipe, b.Recipe = spec.Recipe{}, spec.Recipe{}
	if key(t, a).Digest == key(t, b).Digest {
		t.Error("two arguments and one have the same key")
	}
}

func TestNoSourcesNeedNoContext(t *testing.T) {
	in := sample(t)
	in.Context, in.Recipe = "/nowhere", spec.Recipe{}
	for _, p := range key(t, in).Parts {
		if p.Kind == inputs.File {
			t.Errorf("got part %v", p)
		}
	}
}

func TestKeyFaults(t *testing.T) {
	t.Run("bad ignore file", func(t *testing.T) {
		in := sample(t)
		put(t, in.Context, ".dockerignore", "a[\n")
		_, err := inputs.Of(t.Context(), in)
		if f := fault.Of(err); f == nil || f.Code != "image.dockerignore_invalid" || f.File != ".dockerignore" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("bad pattern", func(t *testing.T) {
		in := sample(t)
		in.Recipe.Sources = []string{"a[-"}
		_, err := inputs.Of(t.Context(), in)
		if !fault.HasCode(err, "image.dockerfile_invalid") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no context", func(t *testing.T) {
		in := sample(t)
		in.Context = filepath.Join(in.Context, "nowhere")
		_, err := inputs.Of(t.Context(), in)
		if !fault.HasCode(err, "image.context_unreadable") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		if _, err := inputs.Of(ctx, sample(t)); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
	})
}

func TestKeyIsWithoutWhatWrKeepsInTheContext(t *testing.T) {
	in := sample(t)
	in.Recipe.Sources, in.Recipe.Whole = nil, true
	before := key(t, in).Digest
	put(t, in.Context, ".wr/runs/1/events.ndjson", "{}")
	if got := key(t, in).Digest; got != before {
		t.Error("a run has changed the key")
	}
	put(t, in.Context, ".wrapper", "x")
	if got := key(t, in).Digest; got == before {
		t.Error("a file of another name does not count")
	}
}
