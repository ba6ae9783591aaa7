package cache

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

const (
	maxIndex  = 32 << 20     // what an index may grow to before its oldest results go
	maxRead   = 4 * maxIndex // what is larger is none of ours
	packAbove = 1 << 20      // a smaller index is not worth packing
)

// table is what the frames of an index come to.
type table struct {
	entries map[Key]entry
	live    int64 // size of the frames that made the entries
}

func newTable() table { return table{entries: map[Key]entry{}} }

// entry is a result as its frame has it.
type entry struct {
	used int64
	body []byte
}

func (e entry) frame(key Key) frame { return frame{kindResult, key, e.used, e.body} }

// apply takes in what a frame says. Kinds of later versions say nothing.
func (t *table) apply(f frame) {
	old, known := t.entries[f.key]
	switch {
	case f.kind == kindResult:
		if known {
			t.live -= old.frame(f.key).size()
		}
		t.live += f.size()
		t.entries[f.key] = entry{f.used, f.body}
	case f.kind == kindUse && known:
		t.entries[f.key] = entry{max(old.used, f.used), old.body}
	}
}

// pack is the index b without what was replaced and without what keep refuses,
// the most recently used results of it that take at most budget bytes. Times
// after now are taken to be now.
func pack(b []byte, budget, now int64, keep func(body []byte) bool) []byte {
	t := newTable()
	scanIndex(b, t.apply)
	keys := slices.SortedFunc(maps.Keys(t.entries), func(a, b Key) int {
		return cmp.Or(cmp.Compare(t.entries[b].used, t.entries[a].used), bytes.Compare(a[:], b[:]))
	})
	packed := []byte(magic)
	for _, key := range keys {
		f := t.entries[key].frame(key)
		f.used = min(f.used, now)
		if int64(len(packed))+f.size() > budget {
			break
		}
		if keep(f.body) {
			packed = appendFrame(packed, f)
		}
	}
	return packed
}

// index is the results of a cache: the file, and what of it was read. Reading
// needs no lock, since each frame proves itself; writing does.
type index struct {
	table
	folder folder
	file   *os.File // what was read, nil = nothing
	end    int64    // up to where file was read and is whole

	results []byte // frames of results that wait to be written
	uses    []byte // frames of uses; they wait for results or for the end
}

func newIndex(f folder) index { return index{folder: f, table: newTable()} }

// load reads what is there and was not read yet.
func (x *index) load() error {
	f, err := x.folder.Open(indexFile)
	if errors.Is(err, fs.ErrNotExist) {
		x.forget()
		scan(x.results, x.apply)
		return nil
	}
	if err != nil {
		return err
	}
	_, err = x.adopt(f)
	return err
}

func (x *index) forget() {
	x.close()
	x.table, x.end = newTable(), 0
}

// adopt reads from f what was not read yet and makes it x's file. It returns
// whether something follows that is not whole. What cannot be read is closed.
func (x *index) adopt(f *os.File) (torn bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	if !x.goesOn(info) {
		x.forget()
	}
	added, err := readFrom(f, x.end, info.Size())
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	read := scan
	if x.end == 0 {
		read = scanIndex
	}
	whole := read(added, x.apply)
	x.end += int64(whole)
	scan(x.results, x.apply) // they come after what others wrote
	x.close()
	x.file = f
	return whole < len(added), nil
}

// goesOn reports whether a file is the one that was read, perhaps longer.
func (x *index) goesOn(info fs.FileInfo) bool {
	if x.file == nil || info.Size() < x.end {
		return false
	}
	known, err := x.file.Stat()
	return err == nil && os.SameFile(known, info)
}

// readFrom reads f from one offset to the other, or to its end.
func readFrom(f *os.File, from, to int64) ([]byte, error) {
	if to > maxRead {
		return make([]byte, 1), nil // nothing whole in it
	}
	b := make([]byte, to-from)
	n, err := f.ReadAt(b, from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return b[:n], err
}

// prepare reads what others have written and removes what one of them left
// half done. The caller holds the lock.
func (x *index) prepare() error {
	torn, err := x.open()
	if torn && x.end > 0 { // before anything is cut off: from the start
		x.close()
		torn, err = x.open()
	}
	if err == nil && torn {
		err = x.file.Truncate(x.end)
	}
	return err
}

func (x *index) open() (torn bool, err error) {
	f, err := x.folder.OpenFile(indexFile, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	return x.adopt(f)
}

// put takes in a result, which then waits to be written.
func (x *index) put(key Key, e entry) {
	f := e.frame(key)
	x.apply(f)
	x.results = appendFrame(x.results, f)
}

// use notes that a result is used, if that is worth it.
func (x *index) use(key Key, now int64) {
	if now-x.entries[key].used >= int64(coarse/time.Second) {
		f := frame{kind: kindUse, key: key, used: now}
		x.apply(f)
		x.uses = appendFrame(x.uses, f)
	}
}

// write writes what waits. The caller holds the lock.
func (x *index) write() error {
	if err := x.prepare(); err != nil {
		return err
	}
	text := slices.Concat(x.results, x.uses)
	if x.end == 0 {
		text = append([]byte(magic), text...)
	}
	if _, err := x.file.Write(text); err != nil {
		return errors.Join(err, x.file.Truncate(x.end))
	}
	x.end += int64(len(text))
	return nil
}

// sparse reports whether packing is worth it, in an index of at most limit bytes.
func (x *index) sparse(limit int64) bool {
	return x.end > limit || x.end > packAbove && x.end > 2*x.live
}

// pack replaces the file by a packed one. The caller holds the lock.
func (x *index) pack(budget, now int64, keep func(body []byte) bool) error {
	if err := x.prepare(); err != nil {
		return err
	}
	b, err := readFrom(x.file, 0, x.end)
	if err != nil {
		return err
	}
	packed := pack(b, budget, now, keep)
	if len(packed) == len(magic) {
		err = x.folder.Remove(indexFile)
	} else {
		err = x.folder.write(indexFile, packed)
	}
	return errors.Join(err, x.load())
}

func (x *index) close() {
	if x.file != nil {
		_ = x.file.Close() // everything was written before
		x.file = nil
	}
}
