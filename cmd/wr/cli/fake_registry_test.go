package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// fakeRegistry is the host of the registry of fake engines: files beside those
// of its images, and every other registry is out of reach.
const fakeRegistry = "registry.test"

// remote is the file of an image in the fake registry.
func (e fakeEngine) remote(ref string) (string, error) {
	if !strings.HasPrefix(ref, fakeRegistry+"/") {
		return "", &fault.Error{Code: "registry.unreachable", Message: "cannot pull " + ref}
	}
	images := fakeEngine{e.dir + ".registry"}
	if repository, digest, found := strings.Cut(ref, "@"); found {
		return images.withDigest(repository, digest), nil
	}
	return images.path(ref), nil
}

// withDigest is the file of the image of a repository with that digest.
func (e fakeEngine) withDigest(repository, digest string) string {
	files, _ := filepath.Glob(e.path(repository) + "_*")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && digestOf(text) == digest {
			return file
		}
	}
	return e.path(repository + "@" + digest)
}

// Resolve implements spec.Resolver. Registries but one have nothing.
func (e fakeEngine) Resolve(_ context.Context, ref string) (string, bool, error) {
	remote, err := e.remote(ref)
	if err != nil {
		return "", false, nil //nolint:nilerr // scripts build upon images that nobody has
	}
	text, err := os.ReadFile(remote)
	if err != nil {
		return "", false, nil //nolint:nilerr // it is not there
	}
	return digestOf(text), true, nil
}

// digestOf is the digest of an image of the fake engine: that of its Dockerfile.
func digestOf(text []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(text)) }

// Keep gives an image another name.
func (e fakeEngine) Keep(_ context.Context, ref, as string, _ map[string]string) error {
	return os.Link(e.path(ref), e.path(as))
}

// Pull implements spec.Puller.
func (e fakeEngine) Pull(_ context.Context, c spec.Copy, progress func(spec.Step)) (spec.Image, bool, error) {
	remote, err := e.remote(c.Remote)
	if err != nil {
		return spec.Image{}, false, err
	}
	text, err := os.ReadFile(remote)
	if errors.Is(err, fs.ErrNotExist) {
		return spec.Image{}, false, nil
	}
	progress(spec.Step{ID: "1", Name: "pull layer"})
	image := spec.Image{Ref: c.Local, Digest: digestOf(text)}
	return image, err == nil, errors.Join(err, os.MkdirAll(e.dir, 0o755), os.WriteFile(e.path(c.Local), text, 0o600))
}

// Push implements spec.Pusher.
func (e fakeEngine) Push(_ context.Context, c spec.Copy, _ func(spec.Step)) (spec.Pushed, error) {
	remote, err := e.remote(c.Remote)
	if err != nil {
		return spec.Pushed{}, err
	}
	if there, err := os.ReadFile(remote); err == nil {
		return spec.Pushed{Digest: digestOf(there), There: true}, nil
	}
	text, err := os.ReadFile(e.path(c.Local))
	return spec.Pushed{Digest: digestOf(text)}, errors.Join(err, os.MkdirAll(filepath.Dir(remote), 0o755), os.WriteFile(remote, text, 0o600))
}

// Images lists the images of the store; all of the scripts are of web.
func (e fakeEngine) Images(context.Context) ([]spec.Image, error) {
	files, err := os.ReadDir(e.dir)
	if err != nil {
		return nil, nil //nolint:nilerr // nothing was built yet
	}
	var all []spec.Image
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		ref := strings.Replace(strings.ReplaceAll(f.Name(), "_", "/"), "wr.local/shipped/web/", "wr.local/shipped/web:", 1)
		all = append(all, spec.Image{Ref: ref, Created: info.ModTime(), Labels: map[string]string{"wr.project": "web"}})
	}
	return all, nil
}

// Forget removes an image.
func (e fakeEngine) Forget(_ context.Context, ref string) error { return os.Remove(e.path(ref)) }
