package call

import (
	"context"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Limits of what a plugin keeps.
const (
	maxKey   = 1 << 10
	maxValue = 4 << 20
)

// storeGet is what was kept under a key.
func (f *Functions) storeGet(_ context.Context, p abi.CacheParams) (abi.CacheResult, error) {
	if err := f.storable(p); err != nil {
		return abi.CacheResult{}, err
	}
	value, found := f.Store.Get(p.Key)
	return abi.CacheResult{Found: found, Value: value}, nil
}

// storePut keeps a value.
func (f *Functions) storePut(_ context.Context, p abi.CacheParams) (abi.Empty, error) {
	if err := f.storable(p); err != nil {
		return abi.Empty{}, err
	}
	f.Store.Put(p.Key, p.Value)
	return abi.Empty{}, nil
}

// storable says why a value cannot be kept.
func (f *Functions) storable(p abi.CacheParams) error {
	if err := allow(f.Grants, abi.CapCache, ""); err != nil {
		return err
	}
	switch {
	case f.Store == nil:
		return nothing("a cache")
	case p.Key == "" || len(p.Key) > maxKey:
		return invalid("a key has 1 to 1,024 bytes")
	case len(p.Value) > maxValue:
		return limit("a value has at most %d bytes, not %d", maxValue, len(p.Value))
	}
	return nil
}

// Kept is a Store in the cache, for the plugin with the bytes of that digest: no
// other one, and no other version, sees it.
type Kept struct {
	Cache  *cache.Cache
	Digest string // sha256 of the plugin's bytes
}

// Get returns what was put, if it is still there.
func (k Kept) Get(key string) ([]byte, bool) {
	r, found := k.Cache.Result(k.key(key))
	return r.Data, found
}

// Put keeps a value in place of an earlier one.
func (k Kept) Put(key string, value []byte) {
	k.Cache.PutResult(k.key(key), cache.Result{Data: value})
}

func (k Kept) key(key string) cache.Key { return cache.KeyOf("plugin.store 1", k.Digest, key) }
