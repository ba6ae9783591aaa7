package vfs

import (
	"encoding/binary"
	"errors"
	"maps"
	"path/filepath"
	"slices"

	"github.com/wr-build/wr/host/plugin/trace"
)

// Notes are what a guest's file system has to tell after a call.
type Notes struct {
	Trace trace.Trace
	Files map[string][]byte // what was left in /out, by path below it
}

// errDamaged is text that no notes have.
var errDamaged = errors.New("damaged notes of a plugin's files")

// Encode writes what DecodeNotes reads.
func (n Notes) Encode() []byte {
	b := appendBytes(nil, n.Trace.Encode())
	for _, name := range slices.Sorted(maps.Keys(n.Files)) {
		b = appendBytes(appendBytes(b, []byte(name)), n.Files[name])
	}
	return b
}

func appendBytes(b, more []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(more))), more...)
}

// DecodeNotes reads notes from a process that is not trusted. Each path of a file
// is local and clean; none is that of a directory that another one needs.
func DecodeNotes(b []byte) (Notes, error) {
	encoded, b, ok := cut(b)
	if !ok {
		return Notes{}, errDamaged
	}
	t, err := trace.Decode(encoded)
	if err != nil {
		return Notes{}, err
	}
	n := Notes{Trace: t, Files: map[string][]byte{}}
	for len(b) > 0 {
		var name, content []byte
		name, b, ok = cut(b)
		if ok {
			content, b, ok = cut(b)
		}
		if !ok || !n.take(string(name), content) {
			return Notes{}, errDamaged
		}
	}
	return n, n.check()
}

// take adds a file, if its path is one.
func (n Notes) take(name string, content []byte) bool {
	_, twice := n.Files[name]
	if twice || !filepath.IsLocal(name) || filepath.Clean(name) != name || name == "." || len(name) > maxPath {
		return false
	}
	n.Files[name] = slices.Clone(content)
	return true
}

// check says whether all files can be there at once.
func (n Notes) check() error {
	for name := range n.Files {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if _, file := n.Files[dir]; file {
				return errDamaged
			}
		}
	}
	return nil
}

// cut takes what appendBytes wrote off the front.
func cut(b []byte) (taken, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:size], b[size:], true
}
