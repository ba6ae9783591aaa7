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

// encodeNote writes what the guest asked, and whether it has left files.
func encodeNote(asked trace.Trace, left bool) []byte {
	flag := byte(0)
	if left {
		flag = 1
	}
	return append([]byte{flag}, asked.Encode()...)
}

// ReadNotes reads what a Tree noted, from a process that is not trusted, and what the
// guest left, which take is asked for if there is anything. Each path of a file is
// local and clean; none is that of a directory that another one needs.
func ReadNotes(notes [][]byte, take func() ([]byte, error)) (Notes, error) {
	var n Notes
	left := false
	for _, note := range notes {
		if len(note) == 0 || note[0] > 1 {
			return Notes{}, errDamaged
		}
		asked, err := trace.Decode(note[1:])
		if err != nil {
			return Notes{}, err
		}
		left = left || note[0] == 1
		n.Trace = trace.Union(n.Trace, asked)
	}
	if !left {
		return n, nil
	}
	files, err := take()
	if err == nil {
		n.Files, err = decodeFiles(files)
	}
	return n, err
}

func encodeFiles(files map[string][]byte) []byte {
	var b []byte
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b = appendBytes(appendBytes(b, []byte(name)), files[name])
	}
	return b
}

func appendBytes(b, more []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(more))), more...)
}

func decodeFiles(b []byte) (map[string][]byte, error) {
	files := leftovers{}
	for len(b) > 0 {
		name, rest, ok1 := cut(b)
		content, rest, ok2 := cut(rest)
		if !ok1 || !ok2 || !files.take(string(name), content) {
			return nil, errDamaged
		}
		b = rest
	}
	return files, files.check()
}

// leftovers are files that a guest has left, by path.
type leftovers map[string][]byte

// take adds a file, if its path is one.
func (l leftovers) take(name string, content []byte) bool {
	_, twice := l[name]
	if twice || !filepath.IsLocal(name) || filepath.Clean(name) != name || name == "." || len(name) > maxPath {
		return false
	}
	l[name] = slices.Clone(content)
	return true
}

// check says whether all files can be there at once.
func (l leftovers) check() error {
	for name := range l {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			if _, file := l[dir]; file {
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
