package cli

import (
	"path/filepath"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/testcache"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// cacheFlags say whether tests of which nothing changed have to run.
type cacheFlags struct {
	Cache string `enum:"off,on,read,write" default:"off" placeholder:"MODE" help:"Tell again what tests gave of which nothing changed, and keep what passes: on, only the one (read) or the other (write), or off. Default: off."`
}

// testCache is the cache of results of tests, if there is to be one, and what
// closes it.
func (t *testPlan) testCache() (*testcache.Cache, func()) {
	mode := t.cmd.Cache
	if mode == "off" {
		return nil, func() {}
	}
	store, err := cache.Open(filepath.Join(t.cacheDir(), "results"), cache.Options{})
	if err != nil {
		t.warnOf(fault.Of(err))
		return nil, func() {}
	}
	c := &testcache.Cache{
		Store: store, Index: inputs.OpenIndex(t.cachePath(t.ws)), Root: t.ws.Root, Own: []string{t.cacheDir()}, Runner: Version() + " " + testrun.PluginDigest(),
		Read: mode != "write" && !t.cmd.Fresh, Write: mode != "read",
	}
	return c, func() {
		if err := c.Index.Close(); err != nil {
			t.log.Warn().Err(err).Msg("the index of content hashes was not saved")
		}
		if err := store.Close(); err != nil {
			t.warnOf(fault.Of(err))
		}
	}
}
