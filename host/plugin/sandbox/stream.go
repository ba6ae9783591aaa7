package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// What a guest prints and what its Tree has to tell travel in one stream of frames.
// So whoever has read what was printed has all notes of what came before it, and
// need not ask for them.
//
// A frame is its kind, the length of the rest as four bytes, the highest first, and
// the rest: what was printed, or notes and behind them what the guest has used.
const (
	framePrinted = 'p'
	frameNotes   = 'n'
	frameHead    = 1 + 4
	frameMost    = 32 << 10 // bytes that were printed
)

func appendFrame(b []byte, kind byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	b = binary.BigEndian.AppendUint32(append(b, kind), uint32(size))
	for _, part := range parts {
		b = append(b, part...)
	}
	return b
}

// output is the stdout of a guest. A guest that writes more than it may, or that
// nobody listens to any more, is stopped: many never look whether writing works.
type output struct {
	file    *os.File
	left    int64
	written int64
	news    func() []byte // frames that are to go ahead of what is printed now
}

func (o *output) Write(b []byte) (int, error) {
	if int64(len(b)) > o.left {
		panic(&stop{limit: "output"})
	}
	frames := o.news()
	for rest := b; len(rest) > 0; frames = frames[:0] {
		part := rest[:min(len(rest), frameMost)]
		rest = rest[len(part):]
		if _, err := o.file.Write(appendFrame(frames, framePrinted, part)); err != nil {
			panic(fmt.Errorf("nobody reads what it prints: %w", err))
		}
	}
	o.left -= int64(len(b))
	o.written += int64(len(b))
	return len(b), nil
}

// flush sends what is left to tell behind all that was printed.
func (o *output) flush() {
	_, _ = o.file.Write(o.news()) // if nobody reads it, nobody needs it
}

// news are the frames that tell what was not told yet.
func (g *guest) news() []byte {
	notes, used := g.tree.Notes(), g.used()
	if notes == nil && used == g.told {
		return nil
	}
	g.told = used
	return appendFrame(nil, frameNotes, notes, used.encode())
}

// stream reads frames of a child, which is not trusted. As an io.Reader it gives what
// was printed. What breaks off ends: why is said by the end of the child.
type stream struct {
	from    *bufio.Reader
	most    int64 // bytes of notes that nobody has taken
	printed int   // bytes of the present frame that nobody has read
	use     func(Usage)
	refuse  func() // the child does not keep to the protocol

	mu    sync.Mutex // guards what follows
	notes [][]byte
	bytes int64 // of notes, also of those that are too many
}

func (s *stream) Read(b []byte) (int, error) {
	for s.printed == 0 {
		err := s.next()
		if errors.Is(err, errFrame) {
			s.refuse()
		}
		if err != nil {
			return 0, io.EOF
		}
	}
	n, err := s.from.Read(b[:min(len(b), s.printed)])
	s.printed -= n
	return n, err
}

var errFrame = errors.New("no frame of a plugin's process")

// next reads the head of the next frame, and all of one with notes.
func (s *stream) next() error {
	var head [frameHead]byte
	if _, err := io.ReadFull(s.from, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[1:])
	switch head[0] {
	case framePrinted:
		s.printed = int(size)
		return nil
	case frameNotes:
		return s.note(int64(size) - usageSize)
	}
	return errFrame
}

// note reads notes of some bytes, and what the guest has used. Those that are too
// many are passed over, and missed by take.
func (s *stream) note(size int64) error {
	if size < 0 {
		return errFrame
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes += size; s.bytes > s.most {
		s.notes = nil
		if _, err := io.CopyN(io.Discard, s.from, size); err != nil {
			return err
		}
		size = 0
	}
	b := make([]byte, size+usageSize)
	if _, err := io.ReadFull(s.from, b); err != nil {
		return err
	}
	if size > 0 {
		s.notes = append(s.notes, b[:size])
	}
	s.use(decodeUsage(b[size:]))
	return nil
}

// take returns the notes since it was called last; false: there were too many.
func (s *stream) take() (notes [][]byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	notes, ok = s.notes, s.bytes <= s.most
	s.notes, s.bytes = nil, 0
	return notes, ok
}

// Notes returns what the instance's Tree had to tell since Notes was called last,
// before the guest printed what was read of Stdout.
func (i *Instance) Notes() ([][]byte, error) {
	notes, ok := i.stream.take()
	if !ok {
		return nil, i.tooMuch()
	}
	return notes, nil
}

// tooMuch is that the instance's Tree has more to tell than it may.
func (i *Instance) tooMuch() error {
	return &fault.Error{
		Code: CodeNotes, Message: fmt.Sprintf("plugin %s wrote or read too much: more than %d bytes to tell", i.child.name, i.child.limits.Notes),
		Next: "have it work on fewer files at once",
	}
}
