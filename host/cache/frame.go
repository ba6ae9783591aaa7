package cache

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// magic begins an index and names its version.
const magic = "wr results 1\n"

// A frame is the length of its payload and the payload's checksum, four bytes
// each, then the payload: its kind, the key, when the result was used last, and
// of a result its body.
const (
	frameHead   = 4 + 4
	payloadHead = 1 + len(Key{}) + 8
	maxPayload  = payloadHead + 1 + maxInline
)

// kinds of frames.
const (
	kindResult byte = 1 // a result for the key, in place of an earlier one
	kindUse    byte = 2 // the result of the key was used again
)

// frame is a fact in the index.
type frame struct {
	kind byte
	key  Key
	used int64  // seconds since 1970
	body []byte // of a result: a marker, then the result or the digest of a blob that holds it
}

func (f frame) size() int64 { return int64(frameHead + payloadHead + len(f.body)) }

// appendFrame writes what scan reads.
func appendFrame(b []byte, f frame) []byte {
	start := len(b)
	b = append(b, make([]byte, frameHead)...)
	b = append(b, f.kind)
	b = append(b, f.key[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.used))
	b = append(b, f.body...)
	payload := b[start+frameHead:]
	binary.LittleEndian.PutUint32(b[start:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[start+4:], checksum(payload))
	return b
}

// scan hands the frames of b to each, in order, up to the first that is not
// whole, and returns how many bytes they take. The bodies are parts of b.
func scan(b []byte, each func(frame)) (whole int) {
	for {
		payload, ok := nextPayload(b[whole:])
		if !ok {
			return whole
		}
		each(frame{
			kind: payload[0],
			key:  Key(payload[1:]),
			used: int64(binary.LittleEndian.Uint64(payload[1+len(Key{}):])),
			body: payload[payloadHead:],
		})
		whole += frameHead + len(payload)
	}
}

func nextPayload(b []byte) ([]byte, bool) {
	if len(b) < frameHead+payloadHead {
		return nil, false
	}
	length := int(binary.LittleEndian.Uint32(b))
	if length < payloadHead || length > maxPayload || length > len(b)-frameHead {
		return nil, false
	}
	payload := b[frameHead : frameHead+length]
	return payload, checksum(payload) == binary.LittleEndian.Uint32(b[4:])
}

// scanIndex is scan for a whole index; it ends at 0 when that is none.
func scanIndex(b []byte, each func(frame)) (whole int) {
	if !bytes.HasPrefix(b, []byte(magic)) {
		return 0
	}
	return len(magic) + scan(b[len(magic):], each)
}

// checksum detects what was cut short or altered. Castagnoli's polynomial is
// computed by the processor.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
