package helper

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"slices"
)

// manifestName lies beside the packed helpers.
const manifestName = "manifest.json"

// manifest lists packed helpers, sorted by name.
type manifest struct {
	Helpers []packed `json:"helpers"`
}

// packed is one helper in a build, in the file NAME.zst.
type packed struct {
	Name   string `json:"name"`
	Arch   string `json:"arch,omitempty"` // as GOARCH; "" runs anywhere
	Size   int64  `json:"size"`           // unpacked
	SHA256 string `json:"sha256"`         // of the unpacked bytes, in hex
}

// file is the packed helper's name.
func (p packed) file() string { return p.Name + ".zst" }

// readManifest returns the manifest in assets. A build without helpers has
// none, or one that nothing can be made of.
func readManifest(assets fs.FS) manifest {
	data, err := fs.ReadFile(assets, manifestName)
	if err != nil {
		return manifest{}
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return manifest{}
	}
	return m
}

// usable leaves out what is not there, or for another machine.
func (m manifest) usable(assets fs.FS, arch string) manifest {
	var out manifest
	for _, p := range m.Helpers {
		_, err := fs.Stat(assets, p.file())
		if err == nil && (p.Arch == "" || p.Arch == arch) && filepath.IsLocal(p.Name) {
			out.Helpers = append(out.Helpers, p)
		}
	}
	return out
}

// only leaves out helpers of other names.
func (m manifest) only(names ...string) manifest {
	var out manifest
	for _, p := range m.Helpers {
		if slices.Contains(names, p.Name) {
			out.Helpers = append(out.Helpers, p)
		}
	}
	return out
}

// engineHelpers are those that the engine needs, and unpacks together.
func engineHelpers(assets fs.FS, arch string) manifest {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return readManifest(assets).usable(assets, arch).only(names...)
}

// key names the directory of exactly these helpers.
func (m manifest) key() string {
	data, err := json.Marshal(m)
	if err != nil {
		panic(err) // plain strings and numbers
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
