package memo

import (
	"context"
	"encoding/hex"
	"path"
	"path/filepath"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

// Hashes are the sums of files by their paths, and all that was looked at to find
// them, as if the plugin had: an answer that rests on them can be kept.
type Hashes struct {
	Files map[string]string // sha256 in hexadecimal
	Asked trace.Trace
}

// Hash hashes the files that globs name, of those that grants show. Files are those
// of now, not of the first Get: the plugin may just have had some written. Links to
// directories are not followed.
func (m *Memo) Hash(ctx context.Context, grants, globs []string) (Hashes, error) {
	wanted, err := scope.New(globs)
	if err != nil {
		return Hashes{}, err
	}
	shown, err := shownBy(grants)
	if err != nil {
		return Hashes{}, err
	}
	h := hashing{
		memo: m, wanted: wanted, view: view.New(m.tree.Snapshot(), shown),
		asked: trace.NewRecorder(trace.Limits{}), files: map[string]string{},
	}
	if err = h.dir(ctx, "."); err != nil {
		h.asked.Spoil("files could not be hashed")
	}
	return Hashes{h.files, h.asked.Take()}, err
}

// hashing is a walk over what a plugin sees.
type hashing struct {
	memo   *Memo
	wanted *scope.Scope
	view   *view.View
	asked  *trace.Recorder
	files  map[string]string
}

// dir hashes what is wanted below a directory, which is no link.
func (h *hashing) dir(ctx context.Context, dir string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	entries, err := h.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		switch {
		case e.Type == trace.Dir && h.wanted.Dir(name):
			err = h.dir(ctx, name)
		case e.Type != trace.Dir && h.wanted.File(name):
			err = h.file(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list lists a directory. One that is gone by now has nothing in it.
func (h *hashing) list(dir string) ([]view.Entry, error) {
	q := trace.Question{Path: dir, Kind: trace.List}
	f, e, err := h.view.Open(dir)
	if err == nil {
		defer f.Close()
		var entries []view.Entry
		if entries, err = h.view.List(f, e.Path); err == nil {
			h.asked.Add(q, view.OfList(entries))
			return entries, nil
		}
	}
	return nil, h.failed(q, err)
}

// file hashes a file. A link that leads to none has no hash.
func (h *hashing) file(name string) error {
	q := trace.Question{Path: name, Kind: trace.Read}
	a, err := h.view.Ask(q, h.sum)
	if err != nil {
		return err
	}
	h.asked.Add(q, a)
	if a.Failure == trace.None {
		h.files[name] = hex.EncodeToString(a.Sum[:])
	}
	return nil
}

// sum is the hash of the very file that is shown: its name may lead elsewhere by now.
func (h *hashing) sum(e view.Entry) (view.Sum, error) {
	f, now, err := h.view.Open(e.Path)
	if err != nil {
		return view.Sum{}, err
	}
	defer f.Close()
	if now.Type != trace.File {
		return view.Sum{}, view.ErrMissing
	}
	return h.memo.index.SumOpen(filepath.Join(h.memo.dir, filepath.FromSlash(now.Path)), f)
}

// failed takes an answer that is none down; what is no answer is an error.
func (h *hashing) failed(q trace.Question, err error) error {
	a, told := view.OfFailure(err)
	if !told {
		return err
	}
	h.asked.Add(q, a)
	return nil
}
