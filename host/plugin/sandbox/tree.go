package sandbox

import (
	"encoding/json"
	"io"
	"os"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// Tree is the file tree of one instance. Its methods besides FS are called while
// the guest runs, too.
type Tree interface {
	// FS is what the guest sees at "/".
	FS() sys.FS
	// Notes is what the tree has to tell since it was last asked; nil = nothing. It and
	// what Take writes are in words that this package passes on as they are.
	Notes() []byte
	// Take writes what the guest has left, and lets go of it.
	Take(w io.Writer) error
	// Exceeded names the limit that the guest ran into; "" = none.
	Exceeded() string
	// Read is how many files were opened and how many bytes were read.
	Read() (files int, bytes int64)
	// Close is called when the guest has ended and nobody will ask any more.
	Close() error
}

// Mount makes the tree of one instance. Root is nil if there is none.
type Mount func(root *os.Root, config json.RawMessage) (Tree, error)

// Nothing is a Mount of a tree in which there is nothing.
func Nothing(*os.Root, json.RawMessage) (Tree, error) { return nothing{}, nil }

type nothing struct{ sys.UnimplementedFS }

func (n nothing) FS() sys.FS         { return n }
func (nothing) Notes() []byte        { return nil }
func (nothing) Take(io.Writer) error { return nil }
func (nothing) Exceeded() string     { return "" }
func (nothing) Read() (int, int64)   { return 0, 0 }
func (nothing) Close() error         { return nil }
func (nothing) OpenFile(string, sys.Oflag, os.FileMode) (sys.File, sys.Errno) {
	return nil, sys.ENOENT
}
