//go:build linux && engine

package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// python is the base that the first users want. Its packages are those of the
// release that make bench and the examples use.
func python(ref string) image.Base {
	return image.Base{Ref: ref, Suite: "bookworm", Include: []string{"python3-pytest", "python3"}}
}

func TestBaseOfPackages(t *testing.T) {
	builder, bases := connect(t)
	bases.Scratch = t.TempDir()
	var log []string
	made, err := bases.Create(t.Context(), python("acme/python"), func(line string) { log = append(log, line) })
	if err != nil {
		t.Fatalf("%v\n%s", err, fault.Of(err).Details)
	}

	t.Run("it is listed under the name that FROM uses", func(t *testing.T) {
		all, err := bases.List(t.Context())
		must(t, err)
		i := slices.IndexFunc(all, func(b image.BaseImage) bool { return b.Name == "acme/python" })
		if i < 0 {
			t.Fatalf("got %+v", all)
		}
		b := all[i]
		if b.Ref != "docker.io/acme/python:latest" || b.Digest != made.Digest || b.Suite != "bookworm" || !slices.Equal(b.Include, []string{"python3", "python3-pytest"}) || b.Size < 50<<20 {
			t.Errorf("got %+v", b)
		}
	})
	t.Run("progress and nothing left behind", func(t *testing.T) {
		if len(log) < 5 {
			t.Errorf("got %q", log)
		}
		if left, err := os.ReadDir(bases.Scratch); err != nil || len(left) > 0 {
			t.Errorf("got %v, %v", left, err)
		}
	})
	files := readLayer(t, made)
	t.Run("python compiles nothing anew", func(t *testing.T) { checkBytecode(t, files) })
	t.Run("nothing of this machine is inside", func(t *testing.T) { checkNeutral(t, files) })
	t.Run("copyright is kept, documentation is not", func(t *testing.T) {
		if files["usr/share/doc/python3/copyright"] == nil && files["usr/share/doc/python3.11/copyright"] == nil {
			t.Error("no copyright of python3")
		}
		for name := range files {
			if strings.HasPrefix(name, "usr/share/man/man") || strings.HasSuffix(name, "/changelog.Debian.gz") {
				t.Errorf("%s is in the base", name)
			}
		}
	})
	t.Run("a Dockerfile builds from it", func(t *testing.T) {
		b := project(t, "FROM acme/python\nCOPY test_x.py /\nRUN pytest -q -p no:cacheprovider /test_x.py && test \"$LANG\" = C.UTF-8\n"+
			"RUN python3 -v -c 'import pytest, json, asyncio' 2>/log; test $(grep -c 'matches.*\\.py$' /log) -gt 50 && ! grep -E \"^# (wrote|code object from) .*\\.py'?$\" /log\n",
			map[string]string{"test_x.py": "def test_x(): pass\n"})
		if _, err := builder.Build(t.Context(), b, nil); err != nil {
			t.Fatalf("%v\n%s", err, fault.Of(err).Details)
		}
	})
	t.Run("the same packages give the same digest", func(t *testing.T) {
		again, err := bases.Create(t.Context(), python("acme/again"), nil)
		must(t, err)
		if again.Digest != made.Digest {
			t.Errorf("got %s, then %s", made.Digest, again.Digest)
			reportDifferences(t, files, readLayer(t, again))
		}
		must(t, bases.Remove(t.Context(), "acme/again"))
	})
	must(t, bases.Remove(t.Context(), "docker.io/acme/python:latest"))
}

func TestRemovedBaseFreesItsSpace(t *testing.T) {
	builder, bases := connect(t)
	made, err := image.Import(t.Context(), bases, "acme/shortlived", func(w io.Writer) error { return tar.NewWriter(w).Close() })
	must(t, err)
	must(t, bases.Remove(t.Context(), "docker.io/acme/shortlived:latest"))
	if _, ok, err := builder.Lookup(t.Context(), "acme/shortlived"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	ctx := namespaces.WithNamespace(t.Context(), image.Namespace)
	if _, err := store(t).ContentStore().Info(ctx, digest.Digest(made.Digest)); err == nil {
		t.Error("its manifest is still there")
	}
	if f := fault.Of(bases.Remove(t.Context(), "acme/shortlived")); f.Code != "base.unknown" {
		t.Errorf("got %v", f)
	}
}

func TestBaseFaults(t *testing.T) {
	_, bases := connect(t)
	bases.Scratch = t.TempDir()
	cases := []struct {
		name, code, details string
		change              func(*image.Base)
	}{
		{"unknown package", "base.unknown_package", "Unable to locate package no-such-package-anywhere", func(b *image.Base) { b.Include = []string{"no-such-package-anywhere"} }},
		{"a package that is an option", "base.unknown_package", "", func(b *image.Base) { b.Include = []string{"-oDir=/"} }},
		{"unknown suite", "base.unknown_suite", "", func(b *image.Base) { b.Suite = "bookwurm" }},
		{"suite that is a path", "base.unknown_suite", "", func(b *image.Base) { b.Suite = "../x" }},
		{"mirror that is nowhere", "base.mirror_unreachable", "127.0.0.1", func(b *image.Base) { b.Mirror = "http://127.0.0.1:1/debian" }},
		{"bad name", "image.invalid_reference", "", func(b *image.Base) { b.Ref = "Acme/Python" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := python("acme/faulty")
			c.change(&b)
			_, err := bases.Create(t.Context(), b, nil)
			f := fault.Of(err)
			if f == nil || f.Code != c.code || f.Next == "" || !strings.Contains(f.Details, c.details) {
				t.Fatalf("got %+v", f)
			}
			t.Logf("%v; next: %s\n%s", f, f.Next, f.Details)
			if c.name == "unknown suite" && f.Hint != "bookworm" {
				t.Errorf("got hint %q", f.Hint)
			}
		})
	}
	left, err := os.ReadDir(bases.Scratch)
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCancelledBaseLeavesNothing(t *testing.T) {
	_, bases := connect(t)
	bases.Scratch = t.TempDir()
	stop := errors.New("interrupted")
	for _, moment := range []string{"reading the releases", "downloading packages"} {
		t.Run(moment, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			_, err := bases.Create(ctx, python("acme/cancelled"), func(line string) {
				if strings.HasPrefix(line, moment) {
					cancel(stop)
				}
			})
			if !errors.Is(err, stop) {
				t.Fatalf("got %v, want the cause", err)
			}
			if left, err := os.ReadDir(bases.Scratch); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			eventually(t, "every process has ended", func() bool { return !runs(t, bases.Scratch) })
			ctx = namespaces.WithNamespace(t.Context(), image.Namespace)
			open, err := store(t).ContentStore().ListStatuses(ctx)
			must(t, err)
			if len(open) > 0 {
				t.Errorf("open writes: %v", open)
			}
		})
	}
}

// store connects to containerd.
func store(t *testing.T) *containerd.Client {
	t.Helper()
	c, err := containerd.New(dirs().ContainerdSocket())
	must(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// layerEntry is a file of a layer.
type layerEntry struct {
	header *tar.Header
	data   []byte
}

// readLayer reads the only layer of a base.
func readLayer(t *testing.T, base spec.Image) map[string]*layerEntry {
	t.Helper()
	cs := store(t).ContentStore()
	ctx := namespaces.WithNamespace(t.Context(), image.Namespace)
	data, err := content.ReadBlob(ctx, cs, ocispec.Descriptor{Digest: digest.Digest(base.Digest)})
	must(t, err)
	var m ocispec.Manifest
	must(t, json.Unmarshal(data, &m))
	if len(m.Layers) != 1 || m.Layers[0].MediaType != ocispec.MediaTypeImageLayer {
		t.Fatalf("got layers %+v", m.Layers)
	}
	r, err := cs.ReaderAt(ctx, m.Layers[0])
	must(t, err)
	defer r.Close()
	files := map[string]*layerEntry{}
	in := tar.NewReader(content.NewReader(r))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(t, err)
		data, err := io.ReadAll(in)
		must(t, err)
		files[h.Name] = &layerEntry{h, data}
	}
}

// checkBytecode compares what each compiled file records of its source with
// the source: where they differ, every start of Python compiles it anew.
func checkBytecode(t *testing.T, files map[string]*layerEntry) {
	t.Helper()
	checked := map[string]int{}
	for name, f := range files {
		if !strings.HasSuffix(name, ".pyc") {
			continue
		}
		base, _, _ := strings.Cut(path.Base(name), ".cpython-")
		source := files[path.Join(path.Dir(path.Dir(name)), base+".py")]
		for source != nil && source.header.Typeflag == tar.TypeSymlink {
			source = files[linked(source.header)]
		}
		if source == nil {
			t.Errorf("%s has no source", name)
			continue
		}
		flags, date, size := binary.LittleEndian.Uint32(f.data[4:]), binary.LittleEndian.Uint32(f.data[8:]), binary.LittleEndian.Uint32(f.data[12:])
		if flags != 0 || int64(date) != source.header.ModTime.Unix() || int(size) != len(source.data) {
			t.Errorf("%s: flags %d, date %d, size %d; source of %d, %d", name, flags, date, size, source.header.ModTime.Unix(), len(source.data))
		}
		for _, dir := range []string{"usr/lib/python3.11/", "_pytest/"} {
			if strings.Contains(name, dir) {
				checked[dir]++
			}
		}
	}
	if checked["usr/lib/python3.11/"] < 400 || checked["_pytest/"] < 40 {
		t.Errorf("only %v files compared", checked)
	}
}

// linked is the name of the file that a symbolic link points to.
func linked(h *tar.Header) string {
	if path.IsAbs(h.Linkname) {
		return strings.TrimPrefix(h.Linkname, "/")
	}
	return path.Join(path.Dir(h.Name), h.Linkname)
}

// checkNeutral looks for what mmdebstrap takes over from the machine.
func checkNeutral(t *testing.T, files map[string]*layerEntry) {
	t.Helper()
	const canonical = "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n" +
		"Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: bookworm-security\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
	if f := files["etc/apt/sources.list.d/debian.sources"]; f == nil || string(f.data) != canonical {
		t.Errorf("got sources %q", f.data)
	}
	if files["usr/share/keyrings/debian-archive-keyring.gpg"] == nil {
		t.Error("the keyring of the sources is missing")
	}
	host, err := os.Hostname()
	must(t, err)
	for name, f := range files {
		if strings.HasPrefix(name, "dev/") && name != "dev/" || name == "etc/apt/apt.conf.d/99mmdebstrap" {
			t.Errorf("%s is in the base", name)
		}
		if strings.HasPrefix(name, "etc/") && (bytes.Contains(f.data, []byte(host)) && len(host) > 5 || bytes.Contains(f.data, []byte("nameserver"))) {
			t.Errorf("%s speaks of this machine", name)
		}
	}
	for _, name := range []string{"etc/hostname", "etc/resolv.conf"} {
		if f := files[name]; f == nil || len(f.data) > 0 {
			t.Errorf("%s: got %v, want an empty file", name, f)
		}
	}
}

// reportDifferences says which files make two bases differ.
func reportDifferences(t *testing.T, a, b map[string]*layerEntry) {
	t.Helper()
	for name, f := range a {
		g := b[name]
		if g == nil || !bytes.Equal(f.data, g.data) || !f.header.ModTime.Equal(g.header.ModTime) || f.header.Mode != g.header.Mode {
			t.Errorf("%s differs", name)
		}
	}
}
