package wr

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/wr-build/wr/sdk/go/abi"
)

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
	var line []byte
	if err == nil {
		line, err = abi.Draft{ID: &id, Result: result}.Line()
	}
	if err != nil {
		line, err = abi.Draft{ID: &id, Error: abi.ErrorOf(err)}.Line()
	}
	if err == nil {
		_, err = w.out.Write(line)
	}
	return err
}

// note tells the host something that it does not answer.
func (w *wire) note(method string, params any) error {
	return w.write(abi.Draft{Method: method, Params: params})
}

// ask sends a request to the host and waits for its result.
func (w *wire) ask(method string, params, result any) error {
	w.asked++
	id := w.asked
	if err := w.write(abi.Draft{ID: &id, Method: method, Params: params}); err != nil {
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

func (w *wire) write(d abi.Draft) error {
	line, err := d.Line()
	if err == nil {
		_, err = w.out.Write(line)
	}
	return err
}

// isCancel says whether m takes back the request of that id.
func isCancel(m abi.Message, id int64) bool {
	var p abi.Cancel
	return m.Method == abi.NoteCancel && json.Unmarshal(m.Params, &p) == nil && p.ID == id
}
