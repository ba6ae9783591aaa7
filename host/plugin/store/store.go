// Package store keeps the modules and manifests of plugins on this machine, by
// their sha256, for one user. What it hands out has been hashed: a file that
// somebody changed is as good as none. It is a cache: what is gone is fetched from
// where wr.lock says, or found among what is vendored.
package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wr-build/wr/host/cache"
)

// maxBytes is what the store may take; what was used longest ago goes first.
const maxBytes = 2 << 30

// prefix begins all digests.
const prefix = "sha256:"

// Store is an open store. It is safe for concurrent use, by processes too.
type Store struct{ cache *cache.Cache }

// Open opens the store in dir, made unless it is there.
func Open(dir string) (*Store, error) {
	c, err := cache.Open(dir, cache.Options{MaxBytes: maxBytes})
	return &Store{c}, err
}

// Close lets go of the store.
func (s *Store) Close() error { return s.cache.Close() }

// Digest is what wr.lock calls some bytes.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return prefix + hex.EncodeToString(sum[:])
}

// Module returns the module with a digest and so many bytes, if it is there and
// is just that.
func (s *Store) Module(digest string, size int64) ([]byte, bool) {
	return s.cache.Blob(cache.Digest{Hash: strings.TrimPrefix(digest, prefix), Size: size})
}

// Manifest returns the manifest with a digest, if it is there and is just that.
func (s *Store) Manifest(digest string) ([]byte, bool) {
	r, found := s.cache.Result(manifestKey(digest))
	return r.Data, found && Digest(r.Data) == digest
}

// Put keeps a module and its manifest.
func (s *Store) Put(module, manifest []byte) error {
	_, err := s.cache.PutBlob(module)
	s.cache.PutResult(manifestKey(Digest(manifest)), cache.Result{Data: manifest})
	return err
}

func manifestKey(digest string) cache.Key { return cache.KeyOf("plugin.manifest 1", digest) }
