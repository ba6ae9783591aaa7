package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"strings"
	"time"
)

// layerFile is a file that is added to a layer.
type layerFile struct {
	name, text string
}

// rewriteLayer copies a root file system as a tar stream and makes it the
// same on every machine: no file is younger than epoch, what mmdebstrap took
// over from this machine is gone, extra files are added.
//
// It also mends Python's compiled files; see bytecode.
func rewriteLayer(dst io.Writer, src io.Reader, epoch time.Time, extra []layerFile) error {
	l := &layer{out: tar.NewWriter(dst), epoch: epoch, bytecode: newBytecode()}
	in := tar.NewReader(src)
	for {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read root file system: %w", err)
		}
		if err := l.copy(header, in); err != nil {
			return fmt.Errorf("copy %s: %w", header.Name, err)
		}
	}
	if l.entries == 0 {
		return fmt.Errorf("read root file system: %w", io.ErrUnexpectedEOF)
	}
	return l.finish(extra)
}

// layer is a layer that is being written.
type layer struct {
	out      *tar.Writer
	epoch    time.Time
	entries  int
	bytecode *bytecode
}

// copy writes one entry.
func (l *layer) copy(header *tar.Header, content io.Reader) error {
	header.Name = strings.TrimPrefix(header.Name, "./")
	header.Linkname = trimHardlink(header)
	l.entries++
	if header.Name == "" || dropped(header.Name) {
		return nil
	}
	l.canonical(header)
	if emptied(header.Name) && header.Typeflag == tar.TypeReg {
		header.Size, header.Mode, content = 0, 0o644, strings.NewReader("")
	}
	l.bytecode.source(header)
	if strings.HasSuffix(header.Name, ".pyc") && header.Typeflag == tar.TypeReg {
		return l.bytecode.keep(header, content)
	}
	return l.write(header, content)
}

// trimHardlink gives a hard link's target the form of the names.
func trimHardlink(header *tar.Header) string {
	if header.Typeflag == tar.TypeLink {
		return strings.TrimPrefix(header.Linkname, "./")
	}
	return header.Linkname
}

// dropped reports whether an entry has no place in an image: devices, which
// every container gets anew, and what mmdebstrap needed of this machine.
func dropped(name string) bool {
	for _, dir := range []string{"dev/", "etc/apt/sources.list.d/"} {
		if strings.HasPrefix(name, dir) && name != dir {
			return true
		}
	}
	return name == "etc/apt/sources.list" || name == "etc/apt/apt.conf.d/99mmdebstrap"
}

// emptied reports whether a file is about this machine but must be there, so
// that a container's own can be mounted over it.
func emptied(name string) bool { return name == "etc/hostname" || name == "etc/resolv.conf" }

// canonical drops from a header what differs between machines.
func (l *layer) canonical(header *tar.Header) {
	header.ModTime = header.ModTime.Truncate(time.Second)
	if header.ModTime.After(l.epoch) {
		header.ModTime = l.epoch
	}
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	header.Uname, header.Gname = "", ""
	header.Format = tar.FormatUnknown
	header.PAXRecords = maps.Clone(header.PAXRecords)
	maps.DeleteFunc(header.PAXRecords, func(name, _ string) bool { return !strings.HasPrefix(name, "SCHILY.xattr.") })
}

// write writes an entry with its content.
func (l *layer) write(header *tar.Header, content io.Reader) error {
	if err := l.out.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(l.out, content)
	return err
}

// finish writes what was kept and the extra files.
func (l *layer) finish(extra []layerFile) error {
	if err := l.bytecode.each(func(header *tar.Header, content io.Reader) error { return l.write(header, content) }); err != nil {
		return err
	}
	for _, f := range extra {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Clean(f.name), Size: int64(len(f.text)), Mode: 0o644, ModTime: l.epoch}
		if err := l.write(header, strings.NewReader(f.text)); err != nil {
			return err
		}
	}
	return l.out.Close()
}
