package hook

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

// sources are the files that a tool was asked about, for who reads what it said of
// them: as the tool has seen them, and taken down as what it has read.
type sources struct {
	tree    *view.Tree
	view    *view.View
	names   []string
	seen    trace.Trace
	more    *trace.Recorder
	changed string // a file that is another one by now
}

func newSources(root *os.Root, globs, names []string, seen trace.Trace) (*sources, error) {
	shown, err := scope.New(globs)
	if err != nil {
		return nil, err
	}
	tree, err := view.Open(root)
	if err != nil {
		return nil, err
	}
	return &sources{tree: tree, view: view.New(tree, shown), names: names, seen: seen, more: trace.NewRecorder(trace.Limits{})}, nil
}

// read reads one of the files.
func (s *sources) read(name string) ([]byte, error) {
	if !slices.Contains(s.names, name) {
		return nil, fs.ErrNotExist
	}
	text, err := s.open(name)
	if err != nil {
		s.more.Spoil(err.Error())
		return nil, err
	}
	question, answer := trace.Question{Path: name, Kind: trace.Read}, trace.Answer{Sum: sha256.Sum256(text)}
	if before, asked := s.seen.Answer(question); asked && before != answer {
		s.changed = name
		return nil, errors.New("it was changed meanwhile")
	}
	s.more.Add(question, answer)
	return text, nil
}

func (s *sources) open(name string) ([]byte, error) {
	f, entry, err := s.view.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if entry.Type != trace.File {
		return nil, fs.ErrNotExist
	}
	return io.ReadAll(f)
}
