// Package memo keeps what calls of plugins gave, by all that decided it, so that
// an unchanged tree runs no plugin at all.
//
// A result is found in two steps. What is known before a call (Call) leads to the
// sets of questions that such calls asked of files, a few of them. For each set the
// questions are answered by the present files; call, questions and answers together
// are the key of a result. A set has no answers in it, so going back to an earlier
// state of the files finds the result of that state again.
//
// # Contract
//
// A result is found only if a plugin that was called in the same way, and was told
// the same of the files as it would be now, gave it. That holds for plugins that
// see nothing else: what depends on more must not be kept, and Put refuses what it
// is told of. The files are taken to stand still from the first Get to Forget.
//
// # Instances that answer several calls
//
// What an instance learned while it was initialized belongs to every later call of
// it. One whose plugin promises that no call depends on an earlier one has, for
// each call, the trace trace.Union(initialize, call). One without that promise may
// remember: its calls have the union of all traces since its start, which is
// vfs.FS.All, and name in Call.After what it was asked before.
package memo

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

const (
	maxSets = 8       // sets of questions that are kept of one call
	maxSet  = 4 << 20 // the size of the largest, in bytes
)

// Call is what decides what a plugin does, besides files.
type Call struct {
	Plugin string   // sha256 of its bytes
	Grants []string // as abi.Capability prints them, in the canonical order; fs.read says which files there are
	Config []byte   // the plugin's config table
	Method string
	Params []byte
	// After is what the instance was asked before, as Next of the call before has
	// it; "" for the first, and where the plugin promises that it does not matter.
	After string
}

// Next is After for the call that the same instance answers next.
func (c Call) Next() string {
	k := c.key()
	return hex.EncodeToString(k[:])
}

func (c Call) key() cache.Key {
	parts := append([]string{c.Plugin, string(c.Config), c.Method, string(c.Params), c.After}, c.Grants...)
	return cache.KeyOf("plugin.call 1", parts...)
}

// Outcome is what a call gave.
type Outcome struct {
	Result []byte            // of the method, as JSON
	Files  map[string][]byte // what it left in /out
	Asked  []byte            // set by Get: what was asked of files and answered, as trace.Decode reads it; it is so now
}

// Memo keeps outcomes in a cache. It is safe for concurrent use.
type Memo struct {
	cache *cache.Cache
	index *inputs.Index
	dir   string
	tree  *view.Tree

	mu      sync.Mutex // guards what follows
	present *present
}

// New keeps outcomes for the workspace root in a cache; the index knows hashes of
// its files. The root may be closed then. The caller closes cache and index.
func New(c *cache.Cache, x *inputs.Index, root *os.Root) (*Memo, error) {
	tree, err := view.Open(root)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(root.Name())
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	m := &Memo{cache: c, index: x, dir: dir, tree: tree}
	m.Forget()
	return m, nil
}

// Close ends the use of the workspace.
func (m *Memo) Close() error { return m.tree.Close() }

// Forget has files be looked at anew: somebody, wr itself perhaps, changed some.
func (m *Memo) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.present = &present{
		dir: m.dir, index: m.index, tree: m.tree.Snapshot(),
		sums: map[string]view.Sum{}, views: map[string]*view.View{},
	}
}

// Get returns what a call would give.
func (m *Memo) Get(c Call) (Outcome, bool) {
	first := c.key()
	sets, ok := m.sets(first)
	if !ok {
		return Outcome{}, false
	}
	m.mu.Lock()
	now := m.present
	m.mu.Unlock()
	v, err := now.view(c.Grants)
	if err != nil {
		return Outcome{}, false
	}
	for i, set := range sets {
		t, err := now.answer(v, set)
		if err != nil {
			continue // what cannot be looked at is not known to be the same
		}
		if r, ok := m.cache.Result(second(first, t)); ok {
			m.promote(first, sets, i)
			o, ok := m.outcome(r)
			o.Asked = t
			return o, ok
		}
	}
	return Outcome{}, false
}

// second is the key of a result.
func second(first cache.Key, encoded []byte) cache.Key {
	return cache.KeyOf("plugin.result 1", string(first[:]), string(encoded))
}

func (m *Memo) outcome(r cache.Result) (Outcome, bool) {
	o := Outcome{Result: r.Data}
	for _, out := range r.Outputs {
		b, ok := m.cache.Blob(out.Digest)
		if !ok {
			return Outcome{}, false
		}
		if o.Files == nil {
			o.Files = map[string][]byte{}
		}
		o.Files[out.Path] = b
	}
	return o, true
}

// Put keeps what a call gave that succeeded, and returns "" or why it is not kept.
// live names what the call used that cannot be looked at later: capabilities other
// than files, as "http" or "clock".
func (m *Memo) Put(c Call, o Outcome, t trace.Trace, live ...string) string {
	set := trace.EncodeQuestions(t.Questions())
	switch {
	case len(live) > 0:
		return "it used " + strings.Join(slices.Compact(slices.Sorted(slices.Values(live))), ", ")
	case t.Gap() != "":
		return t.Gap()
	case len(set) > maxSet:
		return fmt.Sprintf("it asked for %d files", t.Len())
	}
	r := cache.Result{Data: o.Result}
	for name, b := range o.Files {
		d, err := m.cache.PutBlob(b)
		if err != nil {
			return err.Error()
		}
		r.Outputs = append(r.Outputs, cache.Output{Path: name, Digest: d})
	}
	slices.SortFunc(r.Outputs, func(a, b cache.Output) int { return strings.Compare(a.Path, b.Path) })
	first := c.key()
	m.cache.PutResult(second(first, t.Encode()), r)
	m.mu.Lock()
	defer m.mu.Unlock()
	sets, _ := m.sets(first)
	m.putSets(first, sets, set)
	return ""
}
