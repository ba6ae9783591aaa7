package wr

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wr-build/wr/sdk/go/abi"
)

// envelope is how much longer a message is at most than its params or result.
const envelope = 200

// wire carries messages, one a line.
type wire struct {
	lines *bufio.Scanner
	out   io.Writer
	asked int64         // the last id of a request of the plugin
	early []abi.Message // came while an answer of the host was waited for
	ended error         // why there are no more lines
}

func newWire(in io.Reader, out io.Writer) *wire {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, abi.MaxLine)
	return &wire{lines: lines, out: out}
}

// next returns the next message of the host; io.EOF behind the last.
func (w *wire) next() (abi.Message, error) {
	if len(w.early) > 0 {
		m := w.early[0]
		w.early = w.early[1:]
		return m, nil
	}
	return w.read()
}

// read takes the next line. A line that is no message comes from a host that is
// not one: that ends the session.
func (w *wire) read() (abi.Message, error) {
	if w.ended != nil {
		return abi.Message{}, w.ended
	}
	var m abi.Message
	if !w.lines.Scan() {
		w.ended = w.lines.Err()
		if w.ended == nil {
			w.ended = io.EOF
		}
		return m, w.ended
	}
	if err := json.Unmarshal(w.lines.Bytes(), &m); err != nil {
		return m, fmt.Errorf("not a message: %w", err)
	}
	return m, nil
}

// reply answers a request of the host.
func (w *wire) reply(id int64, result any, err error) error {
	var raw json.RawMessage
	if err == nil {
		raw, err = json.Marshal(result)
	}
	if err == nil && len(raw) > abi.MaxLine-envelope {
		err = &abi.Error{Code: abi.CodeLimit, Message: fmt.Sprintf("the result has %d bytes, a message at most %d", len(raw), abi.MaxLine)}
	}
	if err == nil {
		return w.write(abi.Message{ID: &id, Result: raw})
	}
	e, ok := errors.AsType[*abi.Error](err)
	if !ok {
		e = &abi.Error{Code: abi.CodeInternal, Message: err.Error()}
	}
	return w.write(abi.Message{ID: &id, Error: e})
}

// note tells the host something that it does not answer.
func (w *wire) note(method string, params any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return w.write(abi.Message{Method: method, Params: raw})
}

// ask sends a request to the host and waits for its result.
func (w *wire) ask(method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	w.asked++
	id := w.asked
	if err := w.write(abi.Message{ID: &id, Method: method, Params: raw}); err != nil {
		return err
	}
	m, err := w.await(id)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if m.Error != nil {
		return m.Error
	}
	return json.Unmarshal(m.Result, result)
}

// await reads until the host has answered; what else comes is kept for later.
func (w *wire) await(id int64) (abi.Message, error) {
	for {
		m, err := w.read()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil || m.Method == "" && m.ID != nil && *m.ID == id {
			return m, err
		}
		w.early = append(w.early, m)
	}
}

func (w *wire) write(m abi.Message) error {
	m.JSONRPC = abi.JSONRPC
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if len(line) >= abi.MaxLine {
		return &abi.Error{Code: abi.CodeLimit, Message: fmt.Sprintf("a message of %d bytes is longer than the %d that may be sent", len(line)+1, abi.MaxLine)}
	}
	_, err = w.out.Write(append(line, '\n'))
	return err
}

// isCancel says whether m takes back the request of that id.
func isCancel(m abi.Message, id int64) bool {
	var p abi.Cancel
	return m.Method == abi.NoteCancel && json.Unmarshal(m.Params, &p) == nil && p.ID == id
}
