package container

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/mount"
	continuity "github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxAccounts bounds /etc/passwd and /etc/group, in bytes.
const maxAccounts = 4 << 20

// maxImages bounds the images whose configuration is remembered.
const maxImages = 256

// Image is what a container needs to know of its image. All of it follows
// from the digest, so it never goes stale.
type Image struct {
	record images.Image // as first found; its name may point elsewhere by now
	config ocispec.ImageConfig
	parent string // snapshot key of the root file system

	unpack sync.Mutex // held while the layers are unpacked

	mu       sync.Mutex // guards accounts
	accounts *accounts
}

// imageCache remembers images by the digest of what their reference points to.
type imageCache struct {
	client *client.Client

	mu     sync.Mutex // guards byDigest
	images map[digest.Digest]*Image
}

// Image returns the image that ref names in the local store at the moment.
func (m *Manager) Image(ctx context.Context, ref string) (*Image, error) {
	return m.images.find(m.in(ctx), ref)
}

// ID tells an image from every other.
func (i *Image) ID() string { return i.record.Target.Digest.String() }

// find returns the image that ref names in the local store.
func (c *imageCache) find(ctx context.Context, ref string) (*Image, error) {
	record, err := c.client.ImageService().Get(ctx, ref)
	if errdefs.IsNotFound(err) {
		return nil, &fault.Error{
			Code: "image.missing", Message: fmt.Sprintf("image %s is not in the local store", ref),
			Next: "wr build", Err: err,
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look up image %s: %w", ref, err)
	}
	if known := c.known(record.Target.Digest); known != nil {
		return known, nil
	}
	read, err := readImage(ctx, c.client.ContentStore(), record)
	if err != nil {
		return nil, err
	}
	return c.remember(record.Target.Digest, read), nil
}

func (c *imageCache) known(d digest.Digest) *Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.images[d]
}

// remember keeps img unless another caller was first, and returns the one kept.
func (c *imageCache) remember(d digest.Digest, img *Image) *Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.images[d]; known != nil {
		return known
	}
	if c.images == nil || len(c.images) >= maxImages {
		c.images = make(map[digest.Digest]*Image)
	}
	c.images[d] = img
	return img
}

// readImage reads the configuration of this machine's variant of an image.
func readImage(ctx context.Context, store content.Provider, record images.Image) (*Image, error) {
	target, err := images.Config(ctx, store, record.Target, platforms.Default())
	if err != nil {
		return nil, damaged(record.Name, err)
	}
	blob, err := content.ReadBlob(ctx, store, target)
	if err != nil {
		return nil, damaged(record.Name, err)
	}
	var config ocispec.Image
	if err := json.Unmarshal(blob, &config); err != nil {
		return nil, damaged(record.Name, err)
	}
	return &Image{
		record: record, config: config.Config,
		parent: identity.ChainID(config.RootFS.DiffIDs).String(),
	}, nil
}

func damaged(ref string, err error) error {
	return &fault.Error{
		Code: "image.damaged", Message: fmt.Sprintf("image %s cannot be read: %v", ref, err),
		Next: "wr build --no-cache", Err: err,
	}
}

// unpackLayers makes the snapshots of the image's layers, once for all who wait.
func (i *Image) unpackLayers(ctx context.Context, c *client.Client) error {
	i.unpack.Lock()
	defer i.unpack.Unlock()
	// Why not GetImage: it would ask for the name, not for this very image.
	if err := client.NewImage(c, i.record).Unpack(ctx, snapshotter); err != nil {
		return damaged(i.record.Name, err)
	}
	return nil
}

// users returns the image's user database. It is read from rootfs, a snapshot
// that nothing has written to yet, the first time only.
func (i *Image) users(ctx context.Context, rootfs []mount.Mount) (accounts, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.accounts != nil {
		return *i.accounts, nil
	}
	var a accounts
	err := mount.WithReadonlyTempMount(ctx, rootfs, func(root string) (err error) {
		if a.passwd, err = readInside(root, "/etc/passwd"); err != nil {
			return err
		}
		a.group, err = readInside(root, "/etc/group")
		return err
	})
	if err != nil {
		return accounts{}, fmt.Errorf("read the users of image %s: %w", i.record.Name, err)
	}
	i.accounts = &a
	return a, nil
}

// readInside reads the regular file that name means to a process whose root
// directory is root. A file that does not exist gives nil.
func readInside(root, name string) ([]byte, error) {
	path, err := continuity.RootPath(root, name)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxAccounts))
}
