package testrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxLine bounds one fact, in bytes. The plugin's longest, a failure with a
// traceback and three kinds of output, each cut, stays far below.
const maxLine = 64 << 20

// tail reads a file that grows, line by line.
type tail struct {
	file *os.File
	rest []byte // of a line whose end has not been written yet
	size int64  // bytes read so far
}

// read hands each line that was completed since the last call to line, without
// its end. The slice is only valid during the call.
func (t *tail) read(line func([]byte)) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.file.Read(buf)
		t.size += int64(n)
		t.split(buf[:n], line)
		if errors.Is(err, io.EOF) {
			return t.whole()
		}
		if err != nil {
			return err
		}
		if len(t.rest) > maxLine {
			return fmt.Errorf("a line of more than %d bytes", maxLine)
		}
	}
}

// whole fails when the file has become shorter than what was read of it.
func (t *tail) whole() error {
	info, err := t.file.Stat()
	if err == nil && info.Size() < t.size {
		return fmt.Errorf("it was cut from %d to %d bytes", t.size, info.Size())
	}
	return err
}

func (t *tail) split(data []byte, line func([]byte)) {
	for {
		head, after, found := bytes.Cut(data, []byte("\n"))
		if !found {
			t.rest = append(t.rest, data...)
			return
		}
		if len(t.rest) > 0 {
			head = append(t.rest, head...)
		}
		line(head)
		t.rest, data = t.rest[:0], after
	}
}
