//go:build linux && engine

package containertest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Passwd and Group are the user database of the image that Import makes.
const (
	Passwd = "root:x:0:0:root:/root:/bin/sh\ntester:x:1000:1000:Tester:/home/tester:/bin/sh\n"
	Group  = "root:x:0:\ntester:x:1000:\naudio:x:29:tester\ndocker:x:999:tester\n"
)

// Import makes an image of busybox and nothing else in the store of c, under
// ref and with config. It is not unpacked.
func Import(ctx context.Context, c *client.Client, ref string, config ocispec.ImageConfig) (err error) {
	layer, err := layer(ctx)
	if err != nil {
		return err
	}
	ctx, done, err := c.WithLease(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done(ctx)) }()
	w := writer{store: c.ContentStore()}
	layerDesc := w.write(ctx, ocispec.MediaTypeImageLayer, layer, nil)
	configDesc := w.writeJSON(ctx, ocispec.MediaTypeImageConfig, ocispec.Image{
		Platform: ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH},
		Config:   config,
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{layerDesc.Digest}},
	}, nil)
	manifest := w.writeJSON(ctx, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: configDesc, Layers: []ocispec.Descriptor{layerDesc},
	}, map[string]string{
		"containerd.io/gc.ref.content.config": configDesc.Digest.String(),
		"containerd.io/gc.ref.content.l.0":    layerDesc.Digest.String(),
	})
	if w.err != nil {
		return w.err
	}
	record := images.Image{Name: ref, Target: manifest}
	if _, err = c.ImageService().Create(ctx, record); err != nil {
		_, err = c.ImageService().Update(ctx, record)
	}
	return err
}

// writer puts blobs into a content store and keeps the first error.
type writer struct {
	store content.Store
	err   error
}

func (w *writer) write(ctx context.Context, mediaType string, blob []byte, labels map[string]string) ocispec.Descriptor {
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(blob), Size: int64(len(blob))}
	if w.err == nil {
		w.err = content.WriteBlob(ctx, w.store, desc.Digest.String(), bytes.NewReader(blob), desc, content.WithLabels(labels))
	}
	return desc
}

func (w *writer) writeJSON(ctx context.Context, mediaType string, v any, labels map[string]string) ocispec.Descriptor {
	blob, err := json.Marshal(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	return w.write(ctx, mediaType, blob, labels)
}

// layer is a root file system with busybox, its links and two users.
func layer(ctx context.Context) ([]byte, error) {
	path, err := Busybox(ctx)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	applets, err := exec.CommandContext(ctx, path, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list the programs of busybox: %w", err)
	}
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	add := func(h tar.Header, text string) {
		h.Size = int64(len(text))
		if err == nil {
			err = t.WriteHeader(&h)
		}
		if err == nil {
			_, err = t.Write([]byte(text))
		}
	}
	for _, dir := range []string{"bin", "etc", "root", "home", "proc", "dev", "sys"} {
		add(tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}, "")
	}
	add(tar.Header{Typeflag: tar.TypeDir, Name: "home/tester/", Mode: 0o755, Uid: 1000, Gid: 1000}, "")
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/passwd", Mode: 0o644}, Passwd)
	add(tar.Header{Typeflag: tar.TypeReg, Name: "etc/group", Mode: 0o644}, Group)
	add(tar.Header{Typeflag: tar.TypeReg, Name: "bin/busybox", Mode: 0o755}, string(program))
	for applet := range strings.FieldsSeq(string(applets)) {
		if applet != "busybox" {
			add(tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + applet, Linkname: "busybox", Mode: 0o777}, "")
		}
	}
	if err != nil {
		return nil, err
	}
	return out.Bytes(), t.Close()
}
