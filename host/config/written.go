package config

import (
	"fmt"
	"reflect"
	"strings"
)

// written is a type whose values are written as those of other types. What
// those are decides what it is filled from, how it is described, and its schema.
type written interface {
	forms() []reflect.Type // that it can be written as
	read(form any) error   // takes a value of one of them
	plain() any            // is the value as the file has it
}

// The forms that there are.
var (
	textForm  = reflect.TypeFor[string]()
	textsForm = reflect.TypeFor[[]string]()
	wholeForm = reflect.TypeFor[int64]()
	boolForm  = reflect.TypeFor[bool]()
)

// forms are what values of t can be written as, t itself in most cases.
func forms(t reflect.Type) []reflect.Type {
	if w, ok := reflect.TypeAssert[written](reflect.New(t)); ok {
		return w.forms()
	}
	return []reflect.Type{t}
}

// isWritten reports whether values of t are written as those of other types.
func isWritten(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[written]())
}

// Command is what a task runs: a line for a shell, or words.
type Command struct {
	Line  string
	Words []string
}

// Empty reports whether there is nothing to run.
func (c Command) Empty() bool {
	return strings.TrimSpace(c.Line) == "" && (len(c.Words) == 0 || c.Words[0] == "")
}

func (*Command) forms() []reflect.Type { return []reflect.Type{textForm, textsForm} }

func (c *Command) read(form any) error {
	c.Line, _ = form.(string)
	c.Words, _ = form.([]string)
	for _, text := range append([]string{c.Line}, c.Words...) {
		if strings.ContainsRune(text, 0) {
			return fmt.Errorf("%q holds a NUL byte", text)
		}
	}
	return nil
}

func (c *Command) plain() any {
	if len(c.Words) > 0 {
		return c.Words
	}
	return c.Line
}

// Scalar is the text of a string, a whole number, or true or false.
type Scalar struct {
	Text  string
	Given bool // written, though it may be empty
}

func (*Scalar) forms() []reflect.Type { return []reflect.Type{textForm, wholeForm, boolForm} }

func (s *Scalar) read(form any) error { //nolint:unparam // as all that is written
	*s = Scalar{fmt.Sprint(form), true}
	return nil
}

func (s *Scalar) plain() any { return s.Text }
