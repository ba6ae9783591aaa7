package rpc

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/wr-build/wr/sdk/go/abi"
)

// shownLine is how many bytes of a line are shown.
const shownLine = 200

// ErrEnded says that a plugin ended before it had answered. Why is for who ran it
// to say.
var ErrEnded = errors.New("the plugin ended without an answer")

// errEnd says that there are no more lines.
var errEnd = errors.New("end of the plugin's stdout")

// ViolationError says in which way a plugin has not kept to the protocol.
type ViolationError struct {
	Reason string
}

func (e *ViolationError) Error() string {
	return "the plugin does not keep to " + abi.Version + ": " + e.Reason
}

func violation(format string, args ...any) error {
	return &ViolationError{fmt.Sprintf(format, args...)}
}

// next reads the next message. Lines that are none are passed over, as long as
// they are few: whoever prints while testing should not wonder at a broken pipe.
func (s *Session) next() (abi.Message, error) {
	for s.lines.Scan() {
		line := s.lines.Bytes()
		if looksLikeMessage(line) {
			return parse(line)
		}
		if err := s.stray(line); err != nil {
			return abi.Message{}, err
		}
	}
	if errors.Is(s.lines.Err(), bufio.ErrTooLong) {
		return abi.Message{}, violation("a line is longer than %d bytes", abi.MaxLine)
	}
	// An error of the pipe is its end as well: the plugin is gone.
	return abi.Message{}, errEnd
}

func (s *Session) stray(line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	if s.strays++; s.strays > abi.MaxStrays {
		return violation("more than %d lines on its stdout are no messages, the last: %s", abi.MaxStrays, show(line))
	}
	if s.listener.Stray != nil {
		s.listener.Stray(show(line))
	}
	return nil
}

// looksLikeMessage says whether a line wants to be a message.
func looksLikeMessage(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(line), []byte("{")) && bytes.Contains(line, []byte(`"jsonrpc"`))
}

// parse reads a message. Members that it does not know are ignored.
func parse(line []byte) (abi.Message, error) {
	var m abi.Message
	if !utf8.Valid(line) {
		return m, violation("a message is not UTF-8: %s", show(line))
	}
	if values(line) > abi.MaxValues {
		return m, violation("a message has more than %d values: %s", abi.MaxValues, show(line))
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, violation("a message cannot be read: %v: %s", err, show(line))
	}
	isReply := m.ID != nil && m.Method == "" && (m.Result != nil) != (m.Error != nil)
	isAsking := m.Method != "" && m.Result == nil && m.Error == nil
	if m.JSONRPC != abi.JSONRPC || !isReply && !isAsking {
		return m, violation("neither a request, a notification nor a reply of JSON-RPC %s: %s", abi.JSONRPC, show(line))
	}
	return m, nil
}

// values is how many values a message has at most. Why they are counted: what takes
// two bytes in a message may take a hundred and more where it is decoded.
func values(line []byte) int {
	n, quoted := 1, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	return n
}

// show is a line as it may be printed.
func show(line []byte) string {
	if len(line) > shownLine {
		return fmt.Sprintf("%q...", line[:shownLine])
	}
	return fmt.Sprintf("%q", line)
}
