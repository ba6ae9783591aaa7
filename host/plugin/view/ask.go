package view

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"github.com/wr-build/wr/host/plugin/trace"
)

// Sum is the hash of a file's content.
type Sum = [sha256.Size]byte

// Ask answers a question of a trace by what is there now, with sum for contents.
// An error is no answer: the file system failed.
func (v *View) Ask(q trace.Question, sum func(Entry) (Sum, error)) (trace.Answer, error) {
	a, err := v.ask(q, sum)
	if f := failure(err); f != trace.None {
		return trace.Answer{Failure: f}, nil
	}
	return a, err
}

func (v *View) ask(q trace.Question, sum func(Entry) (Sum, error)) (trace.Answer, error) {
	switch q.Kind {
	case trace.Stat:
		e, err := v.Stat(q.Path)
		return e.Answer(), err
	case trace.Lstat:
		e, err := v.Lstat(q.Path)
		return e.Answer(), err
	case trace.Target:
		target, err := v.Readlink(q.Path)
		return OfTarget(target), err
	case trace.List:
		return v.askList(q.Path)
	case trace.Read:
		return v.askRead(q.Path, sum)
	}
	return trace.Answer{}, errors.New("no such question")
}

func (v *View) askRead(name string, sum func(Entry) (Sum, error)) (trace.Answer, error) {
	e, err := v.Stat(name)
	if err != nil || e.Type != trace.File {
		return trace.Answer{Failure: trace.Missing}, err
	}
	s, err := sum(e)
	return trace.Answer{Sum: s}, err
}

func (v *View) askList(name string) (trace.Answer, error) {
	e, err := v.Stat(name)
	if err != nil || e.Type != trace.Dir {
		return trace.Answer{Failure: trace.NotDir}, err
	}
	f, e, err := v.Open(name)
	if err != nil {
		return trace.Answer{}, err
	}
	defer f.Close()
	entries, err := v.List(f, e.Path)
	return OfList(entries), err
}

// Hash is the sum of a file that is looked up by its path without links.
func (v *View) Hash(e Entry) (Sum, error) {
	f, now, err := v.Open(e.Path)
	if err != nil {
		return Sum{}, err
	}
	defer f.Close()
	if now.Type != trace.File {
		return Sum{}, ErrMissing
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return Sum(h.Sum(nil)), err
}

// Answer is what is told of the entry.
func (e Entry) Answer() trace.Answer {
	return trace.Answer{Type: e.Type, Size: e.Size, Inode: e.Inode()}
}

// OfFailure is the answer in place of a better one; false = it is none.
func OfFailure(err error) (trace.Answer, bool) {
	f := failure(err)
	return trace.Answer{Failure: f}, f != trace.None
}

func failure(err error) trace.Failure {
	switch {
	case errors.Is(err, ErrMissing):
		return trace.Missing
	case errors.Is(err, ErrNotDir):
		return trace.NotDir
	case errors.Is(err, ErrNotLink):
		return trace.NotLink
	case errors.Is(err, ErrLinks):
		return trace.TooManyLinks
	}
	return trace.None
}

// OfTarget is the answer for a link that leads to target.
func OfTarget(target string) trace.Answer { return trace.Answer{Sum: sha256.Sum256([]byte(target))} }

// OfList is the answer for a directory.
func OfList(entries []Entry) trace.Answer {
	h := sha256.New()
	var b []byte
	for _, e := range entries {
		b = binary.AppendUvarint(append(b[:0], byte(e.Type)), uint64(len(e.Name)))
		_, _ = h.Write(append(b, e.Name...))
	}
	return trace.Answer{Sum: Sum(h.Sum(nil))}
}
