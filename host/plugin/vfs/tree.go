package vfs

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wr-build/wr/host/plugin/scope"
)

// Mount says in JSON what a guest in another process sees.
type Mount struct {
	Globs  []string `json:"globs"`        // of its fs.read grants
	At     string   `json:"at,omitempty"` // as in Config
	Limits Limits   `json:"limits,omitzero"`
}

// Tree is the file system of a guest for the process that runs it, which passes on
// what it has to tell without reading it.
type Tree struct {
	fs *FS
}

// NewTree makes the file system that a Mount describes.
func NewTree(root *os.Root, mount json.RawMessage) (*Tree, error) {
	var m Mount
	if err := json.Unmarshal(mount, &m); err != nil {
		return nil, fmt.Errorf("mount: %w", err)
	}
	s, err := scope.New(m.Globs)
	if err != nil {
		return nil, err
	}
	f, err := New(Config{Root: root, Scope: s, Limits: m.Limits, At: m.At})
	if err != nil {
		return nil, err
	}
	return &Tree{fs: f}, nil
}

// FS is what the guest sees at "/".
func (t *Tree) FS() sys.FS { return t.fs }

// Notes is what the guest asked since it was called last, and whether there is
// something in /out; nil = neither. ReadNotes reads it.
func (t *Tree) Notes() []byte {
	asked, left := t.fs.Take(), t.fs.left()
	if asked.Len() == 0 && asked.Gap() == "" && !left {
		return nil
	}
	return encodeNote(asked, left)
}

// Take writes what the guest has left in /out, which is empty then.
func (t *Tree) Take(w io.Writer) error {
	_, err := w.Write(encodeFiles(t.fs.Drain()))
	return err
}

// Exceeded names the limit that the guest ran into; "" = none.
func (t *Tree) Exceeded() string { return string(t.fs.Exceeded()) }

// Read is how many files were read, and how many bytes.
func (t *Tree) Read() (files int, bytes int64) {
	u := t.fs.Usage()
	return u.Files, u.Bytes
}

// Close ends the file system. The guest must have ended before.
func (t *Tree) Close() error { return t.fs.Close() }
