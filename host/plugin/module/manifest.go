package module

import (
	"encoding/binary"
	"fmt"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// MaxManifest is the length of the longest manifest in bytes.
const MaxManifest = 1 << 20

// Manifest returns the manifest inside of a module as it is, neither parsed nor
// judged. A module without one is no error: manifests may lie beside it. One with
// two is, since somebody else could read the other one.
func Manifest(module []byte) (manifest []byte, found bool, err error) {
	err = eachSection(module, func(id byte, r *reader) {
		if id == sectionCustom && r.name(len(r.data)) == abi.ManifestSection {
			if found {
				r.fail(&fault.Error{Code: CodeManifest, Message: "the module has two manifests", Next: "build the plugin again and pack it once"})
			}
			manifest, found = r.data[r.at:], true
		}
		r.at = len(r.data)
	})
	switch {
	case err != nil:
		return nil, false, err
	case len(manifest) > MaxManifest:
		return nil, false, tooLong(len(manifest))
	}
	return manifest, found, nil
}

// WithManifest returns the module with this manifest and no other.
func WithManifest(module, manifest []byte) ([]byte, error) {
	if len(manifest) > MaxManifest {
		return nil, tooLong(len(manifest))
	}
	if err := header(module); err != nil {
		return nil, err
	}
	packed := append([]byte{}, module[:8]...)
	err := eachSection(module, func(id byte, r *reader) {
		name := ""
		if id == sectionCustom {
			name = r.name(len(r.data))
		}
		if name != abi.ManifestSection {
			packed = appendSection(packed, id, r.data)
		}
		r.at = len(r.data)
	})
	if err != nil {
		return nil, err
	}
	body := binary.AppendUvarint(nil, uint64(len(abi.ManifestSection)))
	body = append(append(body, abi.ManifestSection...), manifest...)
	return appendSection(packed, sectionCustom, body), nil
}

func tooLong(n int) error {
	return &fault.Error{Code: CodeManifest, Message: fmt.Sprintf("the manifest has %d bytes, more than %d", n, MaxManifest), Next: "shorten it"}
}

func appendSection(module []byte, id byte, body []byte) []byte {
	module = binary.AppendUvarint(append(module, id), uint64(len(body)))
	return append(module, body...)
}
