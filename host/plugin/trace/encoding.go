package trace

import (
	"encoding/binary"
	"errors"
	"slices"
)

// errDamaged is text that no trace has.
var errDamaged = errors.New("damaged trace")

// version begins an encoding.
const version = 1

// Encode writes what Decode reads.
func (t Trace) Encode() []byte {
	b := begin(t.gap, len(t.facts))
	for q, a := range t.All() {
		b = appendAnswer(appendQuestion(b, q), q.Kind, a)
	}
	return b
}

// EncodeAnswered is Encode of the trace that the questions of another one and the
// answers to them make.
func EncodeAnswered(questions []Question, answer func(Question) (Answer, error)) ([]byte, error) {
	b := begin("", len(questions))
	for _, q := range questions {
		a, err := answer(q)
		if err != nil {
			return nil, err
		}
		b = appendAnswer(appendQuestion(b, q), q.Kind, a)
	}
	return b, nil
}

func begin(gap string, facts int) []byte {
	b := make([]byte, 0, 16+len(gap)+64*facts)
	b = appendString(append(b, version), gap)
	return binary.AppendUvarint(b, uint64(facts))
}

// Decode reads a trace. It accepts nothing but what Encode writes.
func Decode(b []byte) (Trace, error) {
	c := cursor{rest: b}
	if c.byte() != version {
		return Trace{}, errDamaged
	}
	t := Trace{gap: c.string()}
	n := c.count()
	if n > 0 {
		t.facts = make(map[Question]Answer, n)
	}
	var last Question
	for i := range n {
		q := c.question()
		a := c.answer(q.Kind)
		if c.broken || i > 0 && compare(last, q) >= 0 {
			return Trace{}, errDamaged
		}
		t.facts[q], last = a, q
	}
	return t, c.end()
}

// EncodeQuestions writes what DecodeQuestions reads.
func EncodeQuestions(questions []Question) []byte {
	b := binary.AppendUvarint([]byte{version}, uint64(len(questions)))
	for _, q := range questions {
		b = appendQuestion(b, q)
	}
	return b
}

// DecodeQuestions reads questions, which are in the order of Trace.Questions.
func DecodeQuestions(b []byte) ([]Question, error) {
	c := cursor{rest: b}
	if c.byte() != version {
		return nil, errDamaged
	}
	questions := make([]Question, 0, c.count())
	for i := range cap(questions) {
		questions = append(questions, c.question())
		c.broken = c.broken || i > 0 && compare(questions[i-1], questions[i]) >= 0
	}
	return questions, c.end()
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendQuestion(b []byte, q Question) []byte {
	return appendString(append(b, byte(q.Kind)), q.Path)
}

func appendAnswer(b []byte, k Kind, a Answer) []byte {
	b = append(b, byte(a.Failure))
	switch {
	case a.Failure != None:
		return b
	case k == Stat || k == Lstat:
		b = binary.AppendUvarint(append(b, byte(a.Type)), uint64(a.Size))
		return binary.LittleEndian.AppendUint64(b, a.Inode)
	default:
		return append(b, a.Sum[:]...)
	}
}

// cursor reads values off the front of rest. After the first that is not there
// it is broken and gives zeros.
type cursor struct {
	rest   []byte
	broken bool
}

func (c *cursor) take(n uint64) []byte {
	if c.broken || n > uint64(len(c.rest)) {
		c.broken, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) byte() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.rest)
	if n <= 0 || n != len(binary.AppendUvarint(nil, v)) {
		c.broken = true
		return 0
	}
	c.take(uint64(n))
	return v
}

// count reads how many follow, each of at least two bytes.
func (c *cursor) count() uint64 {
	n := c.number()
	if n > uint64(len(c.rest)/2) {
		c.broken = true
		return 0
	}
	return n
}

func (c *cursor) string() string { return string(c.take(c.number())) }

func (c *cursor) question() Question {
	q := Question{Kind: Kind(c.byte())}
	q.Path = c.string()
	if !slices.Contains([]Kind{Stat, Lstat, Target, Read, List}, q.Kind) {
		c.broken = true
	}
	return q
}

func (c *cursor) answer(k Kind) Answer {
	a := Answer{Failure: Failure(c.byte())}
	switch {
	case a.Failure != None:
	case k == Stat || k == Lstat:
		a.Type, a.Size = Type(c.byte()), int64(c.number())
		if inode := c.take(8); len(inode) == 8 {
			a.Inode = binary.LittleEndian.Uint64(inode)
		}
	default:
		copy(a.Sum[:], c.take(uint64(len(a.Sum))))
	}
	return a
}

func (c *cursor) end() error {
	if c.broken || len(c.rest) > 0 {
		return errDamaged
	}
	return nil
}
