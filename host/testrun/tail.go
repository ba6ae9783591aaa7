package testrun

import (
	"bytes"
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
}

// read hands each line that was completed since the last call to line, without
// its end. The slice is only valid during the call.
func (t *tail) read(line func([]byte)) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := t.file.Read(buf)
		t.split(buf[:n], line)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(t.rest) > maxLine {
			return fmt.Errorf("a line of more than %d bytes", maxLine)
		}
	}
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
