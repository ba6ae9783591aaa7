package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path"
)

// Digest names a blob by what is in it. It is Digest of REAPI v2.
type Digest struct {
	Hash string `json:"hash"` // sha256 in 64 lower-case hexadecimal digits
	Size int64  `json:"size"` // in bytes
}

// DigestOf is the digest of a blob.
func DigestOf(blob []byte) Digest {
	return digest(sha256.Sum256(blob), int64(len(blob)))
}

func digest(sum [sha256.Size]byte, size int64) Digest {
	return Digest{Hash: hex.EncodeToString(sum[:]), Size: size}
}

// String is the form that REAPI's resource names have: HASH/SIZE.
func (d Digest) String() string { return fmt.Sprintf("%s/%d", d.Hash, d.Size) }

// sum is the hash as bytes; ok is false when d is no digest.
func (d Digest) sum() (sum [sha256.Size]byte, ok bool) {
	n, err := hex.Decode(sum[:], []byte(d.Hash[:min(len(d.Hash), 2*sha256.Size)]))
	return sum, err == nil && n == len(sum) && d.Size >= 0 && hex.EncodeToString(sum[:]) == d.Hash
}

// path is where in the cache the blob is.
func (d Digest) path() string { return path.Join(blobsFolder, d.Hash[:2], d.Hash) }

// Key names an action: the hash of all that decides its result.
type Key [sha256.Size]byte

// KeyOf is the key of an action. The kind says what is done and in which
// version, as "pyscan 3": another one makes other keys. The parts are what
// decides the result; where one ends and the next begins counts as well.
func KeyOf(kind string, parts ...string) Key {
	b := binary.AppendUvarint(nil, uint64(len(kind)))
	b = append(b, kind...)
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}
