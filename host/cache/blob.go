package cache

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Blob returns a blob, if it is there and is what the digest says. One that is
// damaged is removed.
func (c *Cache) Blob(d Digest) ([]byte, bool) {
	f, ok := c.open(d)
	if !ok {
		return nil, false
	}
	defer f.Close()
	b := make([]byte, d.Size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, false
	}
	if DigestOf(b) != d {
		c.drop(d)
		return nil, false
	}
	return b, true
}

// Path is where a blob lies, if it is there, for who hands a path to another
// process. Whoever reads it has to hash it.
func (c *Cache) Path(d Digest) string {
	return filepath.Join(c.dir, version, filepath.FromSlash(d.path()))
}

// OpenBlob is Blob for one that need not fit into memory. It reads it all
// before it returns, so that nothing of a damaged one is handed out; when ctx
// ends before, it says that the blob is not there. The caller closes the file,
// which can be read even after the blob was removed or replaced; nothing in wr
// writes to it.
func (c *Cache) OpenBlob(ctx context.Context, d Digest) (*os.File, bool) {
	f, ok := c.open(d)
	if !ok {
		return nil, false
	}
	found, err := hash(io.Discard, &source{ctx: ctx, from: f})
	if err == nil && found != d {
		c.drop(d)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil || found != d {
		_ = f.Close()
		return nil, false
	}
	return f, true
}

// open opens a blob of the right size.
func (c *Cache) open(d Digest) (*os.File, bool) {
	if c == nil {
		return nil, false
	}
	if _, ok := d.sum(); !ok {
		return nil, false
	}
	f, err := c.folder.OpenFile(d.path(), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false
	}
	info, err := f.Stat()
	if err != nil || !c.usable(d, info) {
		_ = f.Close()
		return nil, false
	}
	return f, true
}

// has reports whether a blob is there, as far as its size tells.
func (c *Cache) has(d Digest) bool {
	info, err := c.folder.Lstat(d.path())
	return err == nil && c.usable(d, info)
}

// usable reports whether a file can be the blob, and notes the use. One that
// cannot be is removed.
func (c *Cache) usable(d Digest, info fs.FileInfo) bool {
	if !info.Mode().IsRegular() || info.Size() != d.Size {
		c.drop(d)
		return false
	}
	if now := c.opts.Now(); now.Sub(info.ModTime()) >= coarse {
		_ = c.folder.Chtimes(d.path(), time.Time{}, now) // the time of use is an estimate
	}
	return true
}

// drop removes a damaged blob. One that stays is as good as gone.
func (c *Cache) drop(d Digest) { _ = c.folder.Remove(d.path()) }

// PutBlob keeps a blob and returns its digest, also when it could not be kept.
func (c *Cache) PutBlob(b []byte) (Digest, error) {
	d := DigestOf(b)
	if c == nil || c.has(d) {
		return d, nil
	}
	c.trimWhenDue()
	if err := c.writeBlob(d, b); err != nil {
		return d, c.notWritten(err)
	}
	return d, nil
}

func (c *Cache) writeBlob(d Digest, b []byte) error {
	t, err := c.folder.temp()
	if err != nil {
		return err
	}
	if _, err := t.Write(b); err != nil {
		t.discard()
		return err
	}
	return c.keep(t, d)
}

// PutReader is PutBlob for all that r gives, which need not fit into memory. A
// failure of r and the end of ctx are returned as they are.
func (c *Cache) PutReader(ctx context.Context, r io.Reader) (Digest, error) {
	from := &source{ctx: ctx, from: r}
	if c == nil {
		return hash(io.Discard, from)
	}
	c.trimWhenDue()
	t, err := c.folder.temp()
	if err != nil {
		return Digest{}, c.notWritten(err)
	}
	d, err := hash(t, from)
	switch {
	case err != nil:
		t.discard()
	case c.has(d):
		t.discard()
		return d, nil
	default:
		err = c.keep(t, d)
	}
	if err != nil && from.failed == nil {
		err = c.notWritten(err)
	}
	return d, err
}

// keep gives a file the name of the blob that it is.
func (c *Cache) keep(t temp, d Digest) error {
	if err := t.Chmod(0o400); err != nil { // nobody writes to it by mistake
		t.discard()
		return err
	}
	return t.place(d.path())
}

// source reads until ctx ends, and remembers why it could not.
type source struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call
	from   io.Reader
	failed error
}

// Read is io.Reader's.
func (s *source) Read(b []byte) (int, error) {
	if s.failed = context.Cause(s.ctx); s.failed != nil {
		return 0, s.failed
	}
	n, err := s.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		s.failed = err
	}
	return n, err
}

// hash copies and returns the digest of what it copied.
func hash(to io.Writer, from io.Reader) (Digest, error) {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, to), from)
	if err != nil {
		return Digest{}, err
	}
	return digest([sha256.Size]byte(h.Sum(nil)), n), nil
}
