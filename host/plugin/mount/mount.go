// Package mount is where a plugin's process meets the workspace: it makes what one
// instance sees of it (host/plugin/vfs) from the few words that wr sends, and
// sends back what the instance did with it. Both ends of that are here, so that
// the words are written once.
package mount

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/vfs"
)

// View is what an instance sees of the workspace.
type View struct {
	Globs  []string   `json:"globs,omitempty"` // values of its fs.read grants; none = no file
	At     string     `json:"at,omitempty"`    // where the workspace is: abi.Source (default) or "/"
	Limits vfs.Limits `json:"limits"`
}

// Encode writes what Tree reads.
func (v View) Encode() (json.RawMessage, error) { return json.Marshal(v) }

// Tree makes the tree of one instance from an encoded View. It is a sandbox.Mount.
func Tree(root *os.Root, view json.RawMessage) (sandbox.Tree, error) {
	var v View
	if err := json.Unmarshal(view, &v); err != nil {
		return nil, fmt.Errorf("read what a plugin is to see: %w", err)
	}
	seen, err := scope.New(v.Globs)
	if err != nil {
		return nil, err
	}
	fs, err := vfs.New(vfs.Config{Root: root, Scope: seen, Limits: v.Limits, At: v.At})
	if err != nil {
		return nil, err
	}
	return tree{fs}, nil
}

// tree is a vfs.FS as the process that runs the guest wants it.
type tree struct {
	fs *vfs.FS
}

func (t tree) FS() sys.FS       { return t.fs }
func (t tree) Exceeded() string { return string(t.fs.Exceeded()) }
func (t tree) Close() error     { return t.fs.Close() }

func (t tree) Read() (files int, bytes int64) {
	u := t.fs.Usage()
	return u.Files, u.Bytes
}

// Take writes Notes of what happened since it was asked last.
func (t tree) Take(w io.Writer) error {
	return json.NewEncoder(w).Encode(notes{Asked: t.fs.Take().Encode(), Out: t.fs.Drain()})
}

// notes are Notes as they travel.
type notes struct {
	Asked []byte            `json:"asked"`
	Out   map[string][]byte `json:"out,omitempty"`
}

// Notes are what an instance did with its files since it was asked last.
type Notes struct {
	Asked trace.Trace       // of the workspace
	Out   map[string][]byte // what it wrote below abi.Output, by path
}

// ParseNotes reads what a Tree has told.
func ParseNotes(text []byte) (Notes, error) {
	var n notes
	if err := json.Unmarshal(text, &n); err != nil {
		return Notes{}, fmt.Errorf("read what a plugin did with its files: %w", err)
	}
	asked, err := trace.Decode(n.Asked)
	if err != nil {
		return Notes{}, fmt.Errorf("read what a plugin asked of the workspace: %w", err)
	}
	return Notes{asked, n.Out}, nil
}
