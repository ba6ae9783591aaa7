package memo

import (
	"path/filepath"
	"strings"
	"sync"

	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
	"github.com/wr-build/wr/sdk/go/abi"
)

// present are the files, taken to stand still.
type present struct {
	dir   string
	index *inputs.Index
	tree  *view.Tree

	mu    sync.Mutex // guards what follows
	sums  map[string]view.Sum
	views map[string]*view.View // by grants
}

// view is what grants show.
func (p *present) view(grants []string) (*view.View, error) {
	key := strings.Join(grants, "\x00")
	p.mu.Lock()
	defer p.mu.Unlock()
	if v, ok := p.views[key]; ok {
		return v, nil
	}
	s, err := shownBy(grants)
	if err != nil {
		return nil, err
	}
	p.views[key] = view.New(p.tree, s)
	return p.views[key], nil
}

// shownBy are the files that grants show.
func shownBy(grants []string) (*scope.Scope, error) {
	var globs []string
	for _, g := range grants {
		if granted := abi.ParseCapability(g); granted.Name == abi.CapRead {
			globs = append(globs, granted.Value)
		}
	}
	return scope.New(globs)
}

// answer is a set of questions with their present answers, encoded.
func (p *present) answer(v *view.View, set []byte) ([]byte, error) {
	questions, err := trace.DecodeQuestions(set)
	if err != nil {
		return nil, err
	}
	return trace.EncodeAnswered(questions, func(q trace.Question) (trace.Answer, error) { return v.Ask(q, p.sum) })
}

// sum is the hash of a file that is shown.
func (p *present) sum(e view.Entry) (view.Sum, error) {
	p.mu.Lock()
	s, ok := p.sums[e.Path]
	p.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := p.index.Sum(filepath.Join(p.dir, filepath.FromSlash(e.Path)))
	if err != nil {
		return s, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sums[e.Path] = s
	return s, nil
}
