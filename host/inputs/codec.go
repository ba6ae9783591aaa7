package inputs

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
)

// magic starts an index file and names its version.
const magic = "wr stat index 1\n"

// errDamaged is an index that cannot be used.
var errDamaged = errors.New("damaged stat index")

// fixedSize is the size of a record without its path.
const fixedSize = 6*8 + sha256.Size

// encode writes entries sorted by path and a checksum over all.
func encode(entries map[string]record) []byte {
	size := len(magic) + 4
	for path := range entries {
		size += binary.MaxVarintLen32 + len(path) + fixedSize
	}
	b := append(make([]byte, 0, size), magic...)
	for _, path := range slices.Sorted(maps.Keys(entries)) {
		r := entries[path]
		b = binary.AppendUvarint(b, uint64(len(path)))
		b = append(b, path...)
		for _, v := range []uint64{uint64(r.stat.size), uint64(r.stat.mtime), uint64(r.stat.ctime), r.stat.inode, uint64(r.stat.mode), uint64(r.day)} {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		b = append(b, r.sum[:]...)
	}
	return binary.LittleEndian.AppendUint32(b, checksum(b))
}

// decode reads what encode wrote.
func decode(b []byte) (map[string]record, error) {
	if len(b) < len(magic)+4 || string(b[:len(magic)]) != magic {
		return nil, errDamaged
	}
	body := b[:len(b)-4]
	if checksum(body) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, errDamaged
	}
	paths := string(body) // shared by all keys of the map
	entries := make(map[string]record, len(body)/(fixedSize+64))
	for at := len(magic); at < len(body); {
		length, n := binary.Uvarint(body[at:])
		at += n
		if n <= 0 || length > uint64(len(body)-at) || len(body)-at-int(length) < fixedSize {
			return nil, errDamaged
		}
		path := paths[at : at+int(length)]
		at += int(length)
		entries[path] = decodeRecord(body[at : at+fixedSize])
		at += fixedSize
	}
	return entries, nil
}

// decodeRecord reads a record of fixedSize bytes.
func decodeRecord(b []byte) record {
	field := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return record{
		stat: stat{size: int64(field(0)), mtime: int64(field(1)), ctime: int64(field(2)), inode: field(3), mode: uint32(field(4))},
		day:  int64(field(5)),
		sum:  [sha256.Size]byte(b[6*8:]),
	}
}

// checksum detects a file that was cut short or altered. Castagnoli's
// polynomial is computed by the processor.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
