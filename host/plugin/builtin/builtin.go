// Package builtin has the plugins that a build of wr carries: modules with their
// manifests inside, compressed. They have no more rights than any other plugin, and
// are added, pinned and granted like them; only no file and no address is needed.
//
// A build that make has not made carries none.
package builtin

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// indexName lies beside the packed plugins.
const indexName = "index.json"

// Plugin is one that is carried, without its module.
type Plugin struct {
	Name     string          `json:"name"`
	Version  string          `json:"version"`
	Digest   string          `json:"digest"` // sha256: and hex, of the module
	Size     int64           `json:"size"`   // bytes of the module
	Manifest json.RawMessage `json:"manifest"`
}

func (p Plugin) file() string { return p.Name + ".wasm.zst" }

// Set is what a build carries.
type Set struct {
	assets  fs.FS
	plugins []Plugin // by name
}

//go:embed all:embedded
var embedded embed.FS

// Carried is what this build carries.
func Carried() *Set {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return &Set{}
	}
	return Open(assets)
}

// Open is what lies in a folder that Pack has filled. One without an index, or
// with one that nothing can be made of, has nothing.
func Open(assets fs.FS) *Set {
	s := &Set{assets: assets}
	if text, err := fs.ReadFile(assets, indexName); err != nil || json.Unmarshal(text, &s.plugins) != nil {
		s.plugins = nil
	}
	return s
}

// All are the plugins, by name.
func (s *Set) All() []Plugin { return s.plugins }

// Names are those of the plugins, sorted.
func (s *Set) Names() []string {
	names := make([]string, len(s.plugins))
	for i, p := range s.plugins {
		names[i] = p.Name
	}
	return names
}

// Find returns the plugin with a name.
func (s *Set) Find(name string) (Plugin, bool) {
	i := slices.IndexFunc(s.plugins, func(p Plugin) bool { return p.Name == name })
	if i < 0 {
		return Plugin{}, false
	}
	return s.plugins[i], true
}

// Module unpacks the module of a plugin. One that is not carried is an
// fs.ErrNotExist.
func (s *Set) Module(name string) ([]byte, error) {
	p, found := s.Find(name)
	if !found {
		return nil, fmt.Errorf("plugin %s in this build: %w", name, fs.ErrNotExist)
	}
	packed, err := s.assets.Open(p.file())
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	plain, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	module, err := io.ReadAll(io.LimitReader(plain, p.Size+1))
	if err != nil {
		return nil, fmt.Errorf("unpack plugin %s: %w", name, err)
	}
	if got := digest(module); got != p.Digest {
		return nil, fmt.Errorf("unpack plugin %s: it is %s, not %s", name, got, p.Digest)
	}
	return module, nil
}

// digest is what wr.lock calls some bytes.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
