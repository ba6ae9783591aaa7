package memo

import (
	"encoding/binary"

	"github.com/wr-build/wr/host/cache"
)

// promote saves a set that is used from being the next to go.
func (m *Memo) promote(first cache.Key, sets [][]byte, i int) {
	if i < maxSets/2 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.putSets(first, sets, sets[i])
}

// putSets keeps sets with one of them, or a new one, in front. The last one goes
// when there are too many. The caller holds the mutex.
func (m *Memo) putSets(first cache.Key, sets [][]byte, front []byte) {
	if len(sets) > 0 && string(sets[0]) == string(front) {
		return
	}
	next := [][]byte{front}
	for _, set := range sets {
		if string(set) != string(front) && len(next) < maxSets {
			next = append(next, set)
		}
	}
	m.cache.PutResult(first, cache.Result{Data: encodeSets(next)})
}

// sets are the questions that such calls asked.
func (m *Memo) sets(first cache.Key) ([][]byte, bool) {
	r, ok := m.cache.Result(first)
	if !ok {
		return nil, false
	}
	return decodeSets(r.Data)
}

func encodeSets(sets [][]byte) []byte {
	var b []byte
	for _, set := range sets {
		b = append(binary.AppendUvarint(b, uint64(len(set))), set...)
	}
	return b
}

func decodeSets(b []byte) ([][]byte, bool) {
	var sets [][]byte
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, false
		}
		b = b[n:]
		sets = append(sets, b[:size])
		b = b[size:]
	}
	return sets, true
}
