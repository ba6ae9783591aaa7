// Package mark reads expressions over the marks of a test, such as "slow and not
// gpu", as pytest's -m takes them.
package mark

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Expr is an expression. The zero value is none: IsZero.
type Expr struct {
	op   operator
	name string // of the mark, when op is mark
	of   []Expr
	text string // as it was written
}

// operator is what an Expr does with those that it is made of.
type operator string

const (
	isMark operator = "mark"
	not    operator = "not"
	and    operator = "and"
	or     operator = "or"
)

// Name is the expression of one mark.
func Name(name string) Expr { return Expr{op: isMark, name: name, text: name} }

// IsZero reports whether there is no expression.
func (e Expr) IsZero() bool { return e.op == "" }

// String is the expression as it was written.
func (e Expr) String() string { return e.text }

// Match reports whether a test with those marks is meant. No expression means none.
func (e Expr) Match(marks []string) bool {
	match := func(part Expr) bool { return part.Match(marks) }
	switch e.op {
	case isMark:
		return slices.Contains(marks, e.name)
	case not:
		return !match(e.of[0])
	case and:
		return !slices.ContainsFunc(e.of, func(part Expr) bool { return !match(part) })
	case or:
		return slices.ContainsFunc(e.of, match)
	default:
		return false
	}
}

// MarshalJSON writes a mark as its name, and all else as ["not", E],
// ["and", E, E] or ["or", E, E]; no expression is null.
func (e Expr) MarshalJSON() ([]byte, error) {
	if e.IsZero() {
		return []byte("null"), nil
	}
	if e.op == isMark {
		return json.Marshal(e.name)
	}
	list := []any{string(e.op)}
	for _, part := range e.of {
		list = append(list, part)
	}
	return json.Marshal(list)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (e *Expr) UnmarshalJSON(data []byte) error {
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return err
	}
	read, err := fromTree(tree)
	if err == nil {
		*e = read
	}
	return err
}

// fromTree is the expression of a decoded JSON value.
func fromTree(tree any) (Expr, error) {
	switch t := tree.(type) {
	case nil:
		return Expr{}, nil
	case string:
		return Name(t), nil
	case []any:
		if len(t) < 2 {
			break
		}
		word, _ := t[0].(string)
		var parts []Expr
		for _, one := range t[1:] {
			part, err := fromTree(one)
			if err != nil {
				return Expr{}, err
			}
			parts = append(parts, part)
		}
		switch {
		case word == string(not) && len(parts) == 1:
			return negated(parts[0]), nil
		case word == string(and) || word == string(or):
			return joined(operator(word), parts...), nil
		}
	}
	return Expr{}, fmt.Errorf("%v is no expression of marks", tree)
}

// negated is "not e".
func negated(e Expr) Expr { return Expr{op: not, of: []Expr{e}, text: "not " + e.inside()} }

// joined is several expressions with one word between them; of one it is that.
func joined(word operator, parts ...Expr) Expr {
	if len(parts) == 1 {
		return parts[0]
	}
	e := Expr{op: word, of: parts}
	for i, part := range parts {
		if i > 0 {
			e.text += " " + string(word) + " "
		}
		e.text += part.inside()
	}
	return e
}

// inside is e as a part of another expression.
func (e Expr) inside() string {
	if e.op == and || e.op == or {
		return "(" + e.text + ")"
	}
	return e.text
}

// token matches a word or a parenthesis. What a mark may be called is what
// pytest's own -m takes.
var token = regexp.MustCompile(`^\s*(\(|\)|[\w:+\-.\[\]\\/]+)`)

// Parse reads an expression of names, not, and, or and parentheses.
func Parse(text string) (Expr, error) {
	p := parser{rest: text}
	if err := p.next(); err != nil {
		return Expr{}, err
	}
	e, err := p.any()
	if err == nil && p.word != "" {
		err = fmt.Errorf("unexpected %q", p.word)
	}
	if err != nil {
		return Expr{}, fmt.Errorf("%q is no expression of marks such as \"slow and not gpu\": %w", text, err)
	}
	e.text = text
	return e, nil
}

// parser is at a word, "" at the end.
type parser struct {
	word string
	rest string
}

func (p *parser) next() error {
	found := token.FindStringSubmatch(p.rest)
	if found == nil && strings.TrimSpace(p.rest) == "" {
		p.word, p.rest = "", ""
		return nil
	}
	if found == nil {
		return fmt.Errorf("cannot read %q", p.rest)
	}
	p.word, p.rest = found[1], p.rest[len(found[0]):]
	return nil
}

// any reads "E or E".
func (p *parser) any() (Expr, error) { return p.chain(or, p.all) }

// all reads "E and E".
func (p *parser) all() (Expr, error) { return p.chain(and, p.one) }

// chain reads parts with a word between them.
func (p *parser) chain(word operator, part func() (Expr, error)) (Expr, error) {
	var parts []Expr
	for {
		e, err := part()
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, e)
		if p.word != string(word) {
			return joined(word, parts...), nil
		}
		if err := p.next(); err != nil {
			return Expr{}, err
		}
	}
}

// one reads "not E", "(E)" or a name.
func (p *parser) one() (Expr, error) {
	word := p.word
	switch word {
	case "":
		return Expr{}, fmt.Errorf("it ends too early")
	case ")", string(and), string(or):
		return Expr{}, fmt.Errorf("unexpected %q", word)
	}
	if err := p.next(); err != nil {
		return Expr{}, err
	}
	switch word {
	case string(not):
		e, err := p.one()
		return negated(e), err
	case "(":
		e, err := p.any()
		if err == nil && p.word != ")" {
			err = fmt.Errorf("a ) is missing")
		}
		if err != nil {
			return Expr{}, err
		}
		return e, p.next()
	default:
		return Name(word), nil
	}
}
