// Package inputs says what an image is made from: a key over everything that
// can end in the image and nothing else, and the parts it is made of. The key
// is by content and the same on every machine; it holds no times, owners or
// absolute paths. An Index keeps content hashes by stat, so that an unchanged
// tree costs a walk and no reading.
//
// The files of the key are the very files that BuildKit would load: the
// sources of the recipe, links on their way followed, less .dockerignore.
package inputs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"

	"github.com/wr-build/wr/runtime/spec"
)

// version names the form of the description that is hashed. A change of what
// ends in an image under the same inputs, such as another BuildKit frontend,
// is a new version.
const version = "wr image key 1"

// Image is what one image is made from.
type Image struct {
	Context    string            // host path of the build context
	Dockerfile string            // relative to Context, slash-separated
	Data       []byte            // of the Dockerfile
	Ignore     []string          // lines of a .dockerignore, in place of those in Context; nil = none
	Target     string            // stage; "" = the last
	Args       map[string]string // build arguments
	Platform   string            // "linux/amd64"
	Bases      map[string]string // reference to digest, for each base of Recipe
	Secrets    []string          // ids, not values: a rotated secret rebuilds nothing
	Layer      *spec.Layer       // that wr adds; nil = none
	Recipe     spec.Recipe       // what the Dockerfile takes from outside
	Index      *Index            // content hashes of earlier runs; nil = read every file
}

// Kind is a kind of input.
type Kind string

// The kinds of input, in the order in which they are hashed and shown.
const (
	Dockerfile Kind = "dockerfile" // Value: hash of its bytes
	Target     Kind = "target"     // Value: stage
	Argument   Kind = "arg"        // Name, Value
	Platform   Kind = "platform"   // Value
	Base       Kind = "base"       // Name: reference, Value: digest
	Secret     Kind = "secret"     // Name: id
	Layer      Kind = "layer"      // Value: hash of what wr adds
	File       Kind = "file"       // Name: path in the context, Value: type, mode and hash
)

// Part is one input of an image.
type Part struct {
	Kind  Kind   `json:"kind"`
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
}

// Key is the identity of an image's inputs.
type Key struct {
	Digest string `json:"digest"` // 64 hexadecimal digits
	Parts  []Part `json:"parts"`  // what it is made from, in a stable order
}

// Of computes the key of an image.
func Of(ctx context.Context, in Image) (Key, error) {
	files, err := contextFiles(ctx, in)
	if err != nil {
		return Key{}, err
	}
	layer, err := in.layer()
	if err != nil {
		return Key{}, err
	}
	parts := slices.Concat(in.parts(), layer, files)
	return Key{Digest: digest(parts), Parts: parts}, nil
}

// parts are the inputs that are not files of the context.
func (in Image) parts() []Part {
	sum := sha256.Sum256(in.Data)
	parts := []Part{
		{Kind: Dockerfile, Value: hex.EncodeToString(sum[:])},
		{Kind: Target, Value: in.Target},
	}
	parts = append(parts, sorted(Argument, in.Args)...)
	parts = append(parts, Part{Kind: Platform, Value: in.Platform})
	parts = append(parts, sorted(Base, in.Bases)...)
	for _, id := range slices.Sorted(slices.Values(in.Secrets)) {
		parts = append(parts, Part{Kind: Secret, Name: id})
	}
	return parts
}

// layer is the part of what wr adds, if it does.
func (in Image) layer() ([]Part, error) {
	if in.Layer == nil {
		return nil, nil
	}
	text, err := json.Marshal(in.Layer)
	if err != nil {
		return nil, fmt.Errorf("describe the layer that wr adds: %w", err)
	}
	sum := sha256.Sum256(text)
	return []Part{{Kind: Layer, Value: hex.EncodeToString(sum[:])}}, nil
}

// sorted makes one part of each entry of m.
func sorted(kind Kind, m map[string]string) []Part {
	parts := make([]Part, 0, len(m))
	for name, value := range m {
		parts = append(parts, Part{Kind: kind, Name: name, Value: value})
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Name, b.Name) })
	return parts
}

// digest hashes parts. Every string is preceded by its length, so no two
// lists of parts have the same description.
func digest(parts []Part) string {
	h := sha256.New()
	buf := make([]byte, 0, 512)
	write(h, &buf, version)
	for _, p := range parts {
		write(h, &buf, string(p.Kind), p.Name, p.Value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// write hashes strings with their lengths.
func write(h hash.Hash, buf *[]byte, values ...string) {
	b := (*buf)[:0]
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	h.Write(b)
	*buf = b
}
