package pyscan_test

import (
	"bytes"
	"io/fs"
	"testing/fstest"
)

// oneFile is a tree with one file.
type oneFile struct {
	name string
	data []byte
}

func (o oneFile) Open(name string) (fs.File, error) {
	return fstest.MapFS{o.name: {Data: bytes.Clone(o.data)}}.Open(name)
}
