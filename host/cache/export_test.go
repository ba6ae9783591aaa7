package cache

import (
	"bytes"
	"time"
)

// IndexMagic begins an index.
const IndexMagic = magic

// Names of what is in a cache's folder.
const (
	IndexFile = version + "/" + indexFile
	LockFile  = version + "/" + lockFile
	TrimFile  = version + "/" + trimFile
	Temps     = version + "/" + tempFolder
	MaxInline = maxInline
	Coarse    = coarse
	Abandoned = abandoned
	OtherKept = otherKept
)

// BlobFile is where a blob is in a cache's folder.
func BlobFile(d Digest) string { return version + "/" + d.path() }

// Flush writes what waits, unless another process writes.
func Flush(c *Cache) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flush(atOnce)
}

// Evict removes blobs until they take at most limit bytes. It calls meanwhile
// after it looked which of them were used longest ago.
func Evict(c *Cache, limit int64, meanwhile func()) error {
	forever := func() error { return nil }
	blobs, err := files(c.folder, blobsFolder, forever)
	if err != nil {
		return err
	}
	meanwhile()
	_, err = c.evict(blobs, limit, forever)
	return err
}

// Reframe decodes an index and returns how much of it is whole, how many results
// that makes, and whether each frame of it is written as it was read.
func Reframe(b []byte) (whole, results int, same bool) {
	t := newTable()
	again := []byte(magic)
	whole = scanIndex(b, func(f frame) {
		t.apply(f)
		again = appendFrame(again, f)
	})
	for _, e := range t.entries {
		_ = needs(e.body, nil)
	}
	return whole, len(t.entries), whole == 0 || bytes.Equal(again, b[:whole])
}

// Pack packs an index that keeps all.
func Pack(b []byte, budget int64) []byte {
	return pack(b, budget, time.Now().Unix(), func([]byte) bool { return true })
}

// Recode decodes a result and encodes it again.
func Recode(b []byte) ([]byte, bool) {
	r, err := decodeResult(b)
	return encodeResult(r), err == nil
}
