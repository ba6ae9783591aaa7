//go:build linux && engine

package image_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// stored is an image as the store has it.
type stored struct {
	digest string
	config ocispec.Image
	layers []ocispec.Descriptor
}

// buildWith builds b with a layer of wr's.
func buildWith(t *testing.T, b spec.Build, layer *spec.Layer) stored {
	t.Helper()
	builder, _ := connect(t)
	b.Layer = layer
	made, err := builder.Build(t.Context(), b, func(spec.Step) {})
	must(t, err)
	ctx := namespaces.WithNamespace(t.Context(), image.Namespace)
	found, err := store(t).GetImage(ctx, b.Ref)
	must(t, err)
	config, err := found.Spec(ctx)
	must(t, err)
	manifest, err := images.Manifest(ctx, found.ContentStore(), found.Target(), found.Platform())
	must(t, err)
	if ok, err := found.IsUnpacked(ctx, "overlayfs"); err != nil || !ok {
		t.Errorf("unpacked: %v, %v", ok, err)
	}
	return stored{made.Digest, config, manifest.Layers}
}

// entries are what a layer holds: names, with the seconds of their dates.
func entries(ctx context.Context, t *testing.T, layer ocispec.Descriptor) map[string]int64 {
	t.Helper()
	blob, err := content.ReadBlob(namespaces.WithNamespace(ctx, image.Namespace), store(t).ContentStore(), layer)
	must(t, err)
	all := map[string]int64{}
	for r := tar.NewReader(bytes.NewReader(blob)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		must(t, err)
		all[header.Name] = header.ModTime.UnixNano()
	}
}

func TestALayerOfWrsComesLast(t *testing.T) {
	layer := &spec.Layer{
		Files: map[string]string{"/.wr/image/a": "one", "/.wr/image/deep/b": "two"},
		Env:   map[string]string{"WR_A": "1", "WORD": "wr's"},
		Lists: map[string]string{"PYTHONPATH": "/.wr/image", "OTHER": "/.wr/image"},
	}
	const dockerfile = "FROM TINY\nENV WORD=mine PYTHONPATH=/lib:/x\nCOPY word /word\nHEALTHCHECK NONE\nCMD [\"/word\"]\n"
	_, bases := connect(t)
	importTiny(t, bases)
	files := map[string]string{"word": "hello"}
	b := project(t, dockerfile, files)
	plain, with := buildWith(t, b, nil), buildWith(t, b, layer)
	last := with.layers[len(with.layers)-1]

	if want := append(slices.Clone(plain.layers), last); len(with.layers) != len(plain.layers)+1 || !slices.EqualFunc(want, with.layers, func(a, b ocispec.Descriptor) bool { return a.Digest == b.Digest }) {
		t.Errorf("got layers %v, want one more than %v", with.layers, plain.layers)
	}
	env := strings.Join(with.config.Config.Env, "\n")
	for _, want := range []string{"WORD=wr's", "WR_A=1", "PYTHONPATH=/lib:/x:/.wr/image", "OTHER=/.wr/image"} {
		if !strings.Contains(env+"\n", want+"\n") {
			t.Errorf("%s is not in\n%s", want, env)
		}
	}
	if strings.Contains(env, "WORD=mine") || !slices.Equal(with.config.Config.Cmd, plain.config.Config.Cmd) {
		t.Errorf("the configuration is %+v", with.config.Config)
	}
	got := entries(t.Context(), t, last)
	for _, name := range []string{".wr/", ".wr/image/", ".wr/image/a", ".wr/image/deep/", ".wr/image/deep/b"} {
		if date, there := got[name]; !there || date != 0 {
			t.Errorf("%s is there: %v, of %d", name, there, date)
		}
	}
	if len(got) != 5 {
		t.Errorf("the layer holds %v", got)
	}

	t.Run("the same for any image", func(t *testing.T) {
		other := buildWith(t, project(t, "FROM scratch\nCOPY word /other\n", files), layer)
		if got := other.layers[len(other.layers)-1]; got.Digest != last.Digest || len(other.layers) != 2 {
			t.Errorf("got %v of %d, want %s", got.Digest, len(other.layers), last.Digest)
		}
	})
	t.Run("and for one without files", func(t *testing.T) {
		empty := buildWith(t, project(t, "FROM scratch\nENV A=1\n", files), layer)
		if len(empty.layers) != 1 || empty.layers[0].Digest != last.Digest || !slices.Contains(empty.config.Config.Env, "A=1") {
			t.Errorf("got %+v", empty)
		}
	})
	t.Run("unchanged it is the same image", func(t *testing.T) {
		if again := buildWith(t, b, layer); again.digest != with.digest {
			t.Errorf("got %s, want %s", again.digest, with.digest)
		}
	})
}
