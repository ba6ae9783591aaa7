package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Result is what an action gave. It is the part of REAPI's ActionResult that
// wr needs.
type Result struct {
	Data    []byte   // small, in an encoding of the caller's own
	Outputs []Output // blobs that belong to it
}

// Output is a blob by the name that it has in its action.
type Output struct {
	Path   string // slash-separated, chosen by the action
	Digest Digest
}

// errDamaged is a result that cannot be read.
var errDamaged = errors.New("damaged result")

// encodeResult writes what decodeResult reads. The digests must be valid.
func encodeResult(r Result) []byte {
	b := appendBytes(make([]byte, 0, len(r.Data)+16), r.Data)
	b = binary.AppendUvarint(b, uint64(len(r.Outputs)))
	for _, o := range r.Outputs {
		b = appendBytes(b, []byte(o.Path))
		b = appendDigest(b, o.Digest)
	}
	return b
}

// decodeResult reads a result. It shares no memory with b.
func decodeResult(b []byte) (Result, error) {
	c := cursor{rest: b}
	r := Result{Data: append([]byte(nil), c.bytes()...)}
	for range c.count(minOutput) {
		r.Outputs = append(r.Outputs, Output{Path: string(c.bytes()), Digest: c.digest()})
	}
	if c.broken || len(c.rest) > 0 {
		return Result{}, errDamaged
	}
	return r, nil
}

func appendBytes(b, more []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(more))), more...)
}

func appendDigest(b []byte, d Digest) []byte {
	sum, _ := d.sum()
	return binary.AppendUvarint(append(b, sum[:]...), uint64(d.Size))
}

// minOutput is the size of the smallest output.
const minOutput = 1 + sha256.Size + 1

// cursor reads values off the front of rest. After the first that is not there
// it is broken and gives zeros.
type cursor struct {
	rest   []byte
	broken bool
}

func (c *cursor) take(n uint64) []byte {
	if c.broken || n > uint64(len(c.rest)) {
		c.broken = true
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || c.broken {
		c.broken = true
		return 0
	}
	c.rest = c.rest[n:]
	return v
}

// count reads how many follow, each of at least size bytes.
func (c *cursor) count(size int) uint64 {
	n := c.number()
	if n > uint64(len(c.rest)/size) {
		c.broken = true
		return 0
	}
	return n
}

func (c *cursor) bytes() []byte { return c.take(c.number()) }

func (c *cursor) digest() Digest {
	sum := c.take(sha256.Size)
	size := c.number()
	if c.broken || int64(size) < 0 {
		c.broken = true
		return Digest{}
	}
	return digest([sha256.Size]byte(sum), int64(size))
}
