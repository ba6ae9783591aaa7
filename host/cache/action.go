package cache

import (
	"bytes"
	"fmt"
	"time"
)

// Result returns the result of an action, if it is there and all its outputs
// are. An output may still turn out to be damaged when it is read: then Blob
// and OpenBlob say that it is not there, and the action is to be done again.
func (c *Cache) Result(key Key) (Result, bool) {
	if c == nil {
		return Result{}, false
	}
	body, ok := c.look(key)
	if !ok {
		return Result{}, false
	}
	r, ok := c.unfold(body)
	if !ok {
		return Result{}, false
	}
	for _, o := range r.Outputs {
		if !c.has(o.Digest) {
			return Result{}, false
		}
	}
	return r, true
}

// look returns the body of a result and notes the use.
func (c *Cache) look(key Key) ([]byte, bool) {
	now := c.opts.Now().Unix()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.index.entries[key]
	if ok {
		c.index.use(key, now)
	}
	return e.body, ok
}

// PutResult keeps the result of an action, in place of an earlier one. Its
// outputs must have been put before. It is written at the latest by Close, and
// does not wait for other processes.
func (c *Cache) PutResult(key Key, r Result) {
	if c == nil {
		return
	}
	c.trimWhenDue()
	body, err := c.fold(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.fail(err)
		return
	}
	c.index.put(key, entry{c.opts.Now().Unix(), body})
	if len(c.index.results) >= flushBytes || time.Since(c.flushed) >= flushEvery {
		c.flush(atOnce)
	}
}

// maxInline is the size of the largest result that is not a blob.
const maxInline = 8 << 10

// Markers begin the body of a result.
const (
	inline byte = 0 // the result follows
	apart  byte = 1 // the digest of a blob that is the result
)

// fold returns the body of a result, which may be a blob that it puts.
func (c *Cache) fold(r Result) ([]byte, error) {
	for _, o := range r.Outputs {
		if _, ok := o.Digest.sum(); !ok {
			return nil, fmt.Errorf("output %q: %q is no digest", o.Path, o.Digest)
		}
	}
	text := encodeResult(r)
	if len(text) <= maxInline {
		return append([]byte{inline}, text...), nil
	}
	d, err := c.PutBlob(text)
	return appendDigest([]byte{apart}, d), err
}

// unfold returns the result whose body fold made.
func (c *Cache) unfold(body []byte) (Result, bool) {
	text, ok := bytes.CutPrefix(body, []byte{inline})
	if d, elsewhere := holder(body); elsewhere {
		text, ok = c.Blob(d)
	}
	if !ok {
		return Result{}, false
	}
	r, err := decodeResult(text)
	return r, err == nil
}

// holder is the blob that holds the result of a body, if one does.
func holder(body []byte) (Digest, bool) {
	if len(body) == 0 || body[0] != apart {
		return Digest{}, false
	}
	rest := cursor{rest: body[1:]}
	d := rest.digest()
	return d, !rest.broken
}
