package spec

import "context"

// LocalHost stands for the host in the names of images that are made from the
// inputs of projects. No registry has it.
const LocalHost = "wr.local"

// Copy names one image in two places.
type Copy struct {
	Local  string            `json:"local"`            // full reference in the local store
	Remote string            `json:"remote"`           // full reference in a registry
	Labels map[string]string `json:"labels,omitempty"` // of the local record that Pull makes
	Packed bool              `json:"packed,omitempty"` // nothing will run from it: its layers may stay packed
}

// Resolver asks registries what a reference stands for.
type Resolver interface {
	// Resolve returns the digest of ref, that of its index if it is for several
	// platforms, or found = false when the registry has no such image.
	Resolve(ctx context.Context, ref string) (digest string, found bool, err error)
}

// Puller fetches images from registries.
type Puller interface {
	// Pull stores c.Remote as c.Local, unpacked unless c.Packed, or returns ok = false when the
	// registry has no such image. What has been fetched when it fails is kept
	// for a while, and another Pull goes on from there.
	Pull(ctx context.Context, c Copy, progress func(Step)) (image Image, ok bool, err error)
}

// Pushed is what a registry has after a push.
type Pushed struct {
	Digest string `json:"digest"` // sha256:... of the manifest that the tag names
	// There says that the tag was taken before, by this image or, if Digest is
	// not that of the local one, by another build of the same inputs.
	There bool `json:"there"`
}

// Pusher publishes images.
type Pusher interface {
	// Push stores c.Local as c.Remote unless the registry has c.Remote already:
	// a tag that is taken is never moved.
	Push(ctx context.Context, c Copy, progress func(Step)) (Pushed, error)
}
