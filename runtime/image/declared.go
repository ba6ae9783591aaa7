package image

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Tag is what a registry calls a base that was made from what b says: "in-" and
// a hash. It does not say of which day the packages are, so two bases of one
// tag may differ; digests tell them apart.
func (b Base) Tag() string {
	b = b.canonical()
	document, err := json.Marshal([]any{b.Suite, b.Include, b.Mirror, b.Arch})
	if err != nil {
		panic(err) // plain strings always encode
	}
	sum := sha256.Sum256(document)
	return "in-" + hex.EncodeToString(sum[:16])
}

// canonical is b with its packages sorted and its architecture named.
func (b Base) canonical() Base {
	b.Arch = cmp.Or(b.Arch, debianArch(runtime.GOARCH))
	b.Include = slices.Compact(slices.Sorted(slices.Values(b.Include)))
	return b
}

// Pinned is the name under which the store keeps the very image that ref stood
// for when it had a digest, whatever has become of ref since:
// docker.io/acme/python:sha256-.... It implies the digest.
func Pinned(ref, of string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err == nil {
		err = digest.Digest(of).Validate()
	}
	if err != nil {
		return "", &fault.Error{
			Code: "image.invalid_reference", Class: fault.Usage, Err: err,
			Message: fmt.Sprintf("%s@%s is not an image: %v", ref, of, err), Next: "wr build --update",
		}
	}
	return reference.TrimNamed(named).String() + ":" + strings.Replace(of, ":", "-", 1), nil
}

// MadeFrom reports whether i was made from what b says.
func (b Base) MadeFrom(i spec.Image) bool { return i.Labels[LabelTag] == b.Tag() }
