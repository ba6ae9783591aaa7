package image

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"strings"
)

// bytecode dates Python's compiled files.
//
// Why? With SOURCE_DATE_EPOCH in the environment, which everything else that
// is reproducible needs, Python compiles files that carry a hash of their
// source instead of its date and size (PEP 552). Every import would read and
// hash the source for ever after. Here each gets its source's date and size
// back, and costs one stat, as it would have without.
//
// The date of a source is not known when its compiled file comes by, so these
// are kept until the end of the stream.
type bytecode struct {
	sources map[string]pySource
	links   map[string]string // symbolic links among the sources
	kept    []compiled
}

// pySource is what a compiled file records of its source.
type pySource struct {
	seconds, size uint32
}

// compiled is a compiled file.
type compiled struct {
	header  *tar.Header
	content []byte
}

// The head of a compiled file: magic number, flags, then date and size or a hash.
const (
	pycHead   = 16
	flagsAt   = 4
	hashBased = 1
)

// newBytecode keeps nothing yet.
func newBytecode() *bytecode {
	return &bytecode{sources: map[string]pySource{}, links: map[string]string{}}
}

// source notes a file that others may be compiled from.
func (b *bytecode) source(header *tar.Header) {
	if !strings.HasSuffix(header.Name, ".py") {
		return
	}
	switch header.Typeflag {
	case tar.TypeReg:
		b.sources[header.Name] = pySource{uint32(header.ModTime.Unix()), uint32(header.Size)}
	case tar.TypeLink:
		b.sources[header.Name] = b.sources[header.Linkname]
	case tar.TypeSymlink:
		target := header.Linkname
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(header.Name), target)
		}
		b.links[header.Name] = strings.TrimPrefix(path.Clean("/"+target), "/")
	}
}

// keep keeps a compiled file.
func (b *bytecode) keep(header *tar.Header, content io.Reader) error {
	data, err := io.ReadAll(content)
	b.kept = append(b.kept, compiled{header, data})
	return err
}

// each dates the compiled files and visits them in their order.
func (b *bytecode) each(visit func(*tar.Header, io.Reader) error) error {
	for _, c := range b.kept {
		b.date(c)
		if err := visit(c.header, bytes.NewReader(c.content)); err != nil {
			return err
		}
	}
	return nil
}

// date gives a compiled file the date and size of its source. One without a
// source, or of another layout, stays as it is.
func (b *bytecode) date(c compiled) {
	if len(c.content) < pycHead || binary.LittleEndian.Uint32(c.content[flagsAt:])&hashBased == 0 {
		return
	}
	source, ok := b.lookup(sourceOf(c.header.Name))
	if !ok {
		return
	}
	binary.LittleEndian.PutUint32(c.content[flagsAt:], 0)
	binary.LittleEndian.PutUint32(c.content[flagsAt+4:], source.seconds)
	binary.LittleEndian.PutUint32(c.content[flagsAt+8:], source.size)
}

// lookup finds a source, behind links if need be.
func (b *bytecode) lookup(name string) (pySource, bool) {
	for range 8 {
		target, ok := b.links[name]
		if !ok {
			break
		}
		name = target
	}
	s, ok := b.sources[name]
	return s, ok
}

// sourceOf is the source of x/__pycache__/name.cpython-311.opt-1.pyc: x/name.py.
func sourceOf(name string) string {
	dir, file := path.Split(name)
	file = strings.TrimSuffix(file, ".pyc")
	if i := strings.LastIndex(file, ".opt-"); i >= 0 {
		file = file[:i]
	}
	if i := strings.LastIndex(file, "."); i >= 0 {
		file = file[:i]
	}
	return path.Join(path.Dir(path.Clean(dir)), file+".py")
}
