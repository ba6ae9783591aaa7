// Package trace holds what a plugin asked of the workspace's files and what it was
// told: what it read, what it looked at, which directories it listed, and what it
// did not find. If all that would be answered in the same way again, a plugin that
// sees nothing else does the same again.
//
// # Contract
//
// A Trace that is not whole must not be used in place of a run: Gap says what it
// lacks. It has at most one answer to a question; who got two different ones has
// seen a file change, and the trace is not whole.
//
// The encoding is canonical: equal traces have equal bytes.
package trace

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Kind is what is asked of a path.
type Kind byte

// The kinds of questions.
const (
	Stat   Kind = 's' // what is there; links are followed
	Lstat  Kind = 'l' // what is there; a link at the end is not followed
	Target Kind = 't' // where a link leads to
	Read   Kind = 'r' // the content of a file; links are followed
	List   Kind = 'd' // the names in a directory, as far as they are shown; links are followed
)

// Question is what a plugin asked. Paths are relative to the workspace's root and
// clean; "." is the root.
type Question struct {
	Path string
	Kind Kind
}

// Failure is why a question has no better answer.
type Failure byte

// The failures. Others are no answers, but gaps in a trace.
const (
	None         Failure = 0
	Missing      Failure = 'm' // there is nothing, or nothing that may be shown
	NotDir       Failure = 'd' // the path goes through a file
	NotLink      Failure = 'l' // asked for the target of what is no link
	TooManyLinks Failure = 'h' // links lead in circles
)

// Type is what is at a path.
type Type byte

// The types. What else there is, is not shown.
const (
	File    Type = 'f'
	Dir     Type = 'd'
	Symlink Type = 'l'
)

// Answer is what a plugin was told. Which fields are set depends on the question;
// the zero value is no answer.
type Answer struct {
	Failure Failure
	Type    Type              // Stat, Lstat
	Size    int64             // Stat, Lstat: bytes; 0 for a directory
	Inode   uint64            // Stat, Lstat: the number that stands for it
	Sum     [sha256.Size]byte // Read, List, Target: of the content
}

// Trace is a set of questions with their answers. The zero value is that of a
// plugin that asked nothing. A Trace is immutable.
type Trace struct {
	facts map[Question]Answer
	gap   string
}

// Gap says what is lacking, as "a/b.txt changed while it was read"; "" = nothing.
func (t Trace) Gap() string { return t.gap }

// Len is the number of questions.
func (t Trace) Len() int { return len(t.facts) }

// Answer is what was told to a question.
func (t Trace) Answer(q Question) (Answer, bool) {
	a, ok := t.facts[q]
	return a, ok
}

// All are the questions with their answers, by path and kind.
func (t Trace) All() iter.Seq2[Question, Answer] {
	return func(yield func(Question, Answer) bool) {
		for _, q := range t.Questions() {
			if !yield(q, t.facts[q]) {
				return
			}
		}
	}
}

// Questions are the questions by path and kind.
func (t Trace) Questions() []Question { return slices.SortedFunc(maps.Keys(t.facts), compare) }

func compare(a, b Question) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
}

// Union is what was asked in any of the traces. A file that changed from one to
// the other makes it not whole.
//
// A plugin's instance that answers several requests may remember files from
// earlier ones. What an answer depends on is then the union of the traces of
// initialize and of all requests up to it.
func Union(traces ...Trace) Trace {
	var u Trace
	for _, t := range traces {
		u.gap = cmp.Or(u.gap, t.gap)
		for q, a := range t.facts {
			u.add(q, a)
		}
	}
	return u
}

// Without is the trace without some questions, which a plugin must not have needed.
func (t Trace) Without(drop func(Question) bool) Trace {
	kept := Trace{facts: make(map[Question]Answer, len(t.facts)), gap: t.gap}
	for q, a := range t.facts {
		if !drop(q) {
			kept.facts[q] = a
		}
	}
	return kept
}

// add takes a fact in.
func (t *Trace) add(q Question, a Answer) {
	if t.facts == nil {
		t.facts = map[Question]Answer{}
	}
	earlier, asked := t.facts[q]
	if asked && earlier != a {
		t.gap = cmp.Or(t.gap, fmt.Sprintf("%s changed while the plugin worked", q.Path))
		return
	}
	t.facts[q] = a
}
