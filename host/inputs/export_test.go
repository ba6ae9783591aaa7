package inputs

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// OpenIndexAt is OpenIndex with another clock.
func OpenIndexAt(path string, now func() time.Time) *Index { return openIndex(path, now) }

// Corrupt replaces the hash that the index holds for a file.
func Corrupt(x *Index, path string) {
	r := x.entries[path]
	r.sum[0] ^= 0xff
	x.entries[path] = r
}

// DecodeSealed decodes data after giving it the checksum it lacks.
func DecodeSealed(data []byte) (map[string]record, error) {
	return decode(binary.LittleEndian.AppendUint32(slices.Clip(data), checksum(data)))
}

// RoundTrips reports whether entries survive being written and read.
func RoundTrips(entries map[string]record) bool {
	again, err := decode(encode(entries))
	return err == nil && maps.Equal(again, entries)
}
