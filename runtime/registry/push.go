package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Push implements spec.Pusher. The image goes up under its digest, and gets
// its tag when all of it is there.
func (r *Registry) Push(ctx context.Context, c spec.Copy, progress func(spec.Step)) (spec.Pushed, error) {
	client, err := r.client()
	if err != nil {
		return spec.Pushed{}, err
	}
	ctx = r.within(ctx)
	image, err := client.ImageService().Get(ctx, c.Local)
	if errdefs.IsNotFound(err) {
		return spec.Pushed{}, &fault.Error{Code: "image.missing", Message: "image " + c.Local + " is not in the local store", Next: "wr build", Err: err}
	}
	if err != nil {
		return spec.Pushed{}, fmt.Errorf("look up image %s: %w", c.Local, err)
	}
	pushed, err := again(ctx, progress, func() (spec.Pushed, error) { return r.push(ctx, client, image, c.Remote, progress) })
	return pushed, r.fault(ctx, "push", c.Remote, err)
}

// push copies image and gives it the tag of ref unless that is taken.
func (r *Registry) push(ctx context.Context, client *containerd.Client, image images.Image, ref string, progress func(spec.Step)) (spec.Pushed, error) {
	if taken, err := r.digest(ctx, ref); err != nil || taken != "" {
		return spec.Pushed{Digest: taken, There: true}, err
	}
	byDigest, err := untagged(ref, image)
	if err != nil {
		return spec.Pushed{}, err
	}
	// Layers are told of here only: below, all are there.
	if err := r.upload(ctx, client, byDigest, image, containerd.WithImageHandler(tell(progress, "push")), containerd.WithResolver(r.resolver(nil))); err != nil {
		return spec.Pushed{}, err
	}
	if taken, err := r.digest(ctx, ref); err != nil || taken != "" {
		return spec.Pushed{Digest: taken, There: true}, err
	}
	err = r.upload(ctx, client, ref, image, containerd.WithResolver(r.resolver(once)))
	lost := status(err) == http.StatusPreconditionFailed
	if err != nil && !lost {
		return spec.Pushed{}, err
	}
	digest, err := r.digest(ctx, ref)
	return spec.Pushed{Digest: digest, There: lost || digest != image.Target.Digest.String()}, err
}

// upload copies image to ref.
func (r *Registry) upload(ctx context.Context, client *containerd.Client, ref string, image images.Image, options ...containerd.RemoteOpt) error {
	options = append(options, containerd.WithPlatformMatcher(platforms.Default()))
	return client.Push(ctx, ref, image.Target, options...)
}

// digest is what the registry has under ref, "" for nothing.
func (r *Registry) digest(ctx context.Context, ref string) (string, error) {
	_, descriptor, err := r.resolver(nil).Resolve(ctx, ref)
	if errdefs.IsNotFound(err) {
		return "", nil
	}
	return descriptor.Digest.String(), err
}

// untagged is ref with the image's digest in place of its tag.
func untagged(ref string, image images.Image) (string, error) {
	name, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", err
	}
	digested, err := reference.WithDigest(reference.TrimNamed(name), image.Target.Digest)
	if err != nil {
		return "", err
	}
	return digested.String(), nil
}

// once asks registries to write a tag only if there is none.
func once(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		if request.Method == http.MethodPut && strings.Contains(request.URL.Path, "/manifests/") {
			request = request.Clone(request.Context())
			request.Header.Set("If-None-Match", "*")
		}
		return next.RoundTrip(request)
	})
}

// roundTripper is a function as a http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
