package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// outside stands between the caller's terminal and a command that has none of
// its own, as in `wr exec -- cmd | less`. The other files are handed over as
// they are, but a process that holds the terminal could read what is typed for
// others and change its modes.
type outside struct {
	copies sync.WaitGroup
	ours   []*os.File // ends of pipes that the command writes to

	mu     sync.Mutex // guards failed
	failed error      // what a terminal said that took no more output
}

// keepTerminalsOutside replaces every terminal in stdio by a pipe.
func keepTerminalsOutside(stdio *spec.Stdio) (*outside, error) {
	o := &outside{}
	var err error
	if interactive(stdio.In) {
		stdio.In, err = o.reads(stdio.In)
	}
	for _, file := range []**os.File{&stdio.Out, &stdio.Err} {
		if interactive(*file) {
			var writeErr error
			*file, writeErr = o.writes(*file)
			err = errors.Join(err, writeErr)
		}
	}
	if err != nil {
		return o, errors.Join(err, o.finish())
	}
	return o, nil
}

// reads returns a pipe on which the command reads what is typed. Nobody waits
// for the copy: it ends with wr, or when the command reads no more.
func (o *outside) reads(terminal *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		_, _ = io.Copy(w, terminal)
		_ = w.Close()
	}()
	o.ours = append(o.ours, r)
	return r, nil
}

// writes returns a pipe whose content is shown on the terminal.
func (o *outside) writes(terminal *os.File) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	o.ours = append(o.ours, w)
	o.copies.Go(func() {
		_, err := io.Copy(terminal, r)
		_ = r.Close() // whatever writes on is told by SIGPIPE
		o.mu.Lock()
		defer o.mu.Unlock()
		o.failed = errors.Join(o.failed, err)
	})
	return w, nil
}

// finish waits until all output has been shown, and says what could not be. By
// then no process of the container is left that could hold a pipe open.
func (o *outside) finish() error {
	for _, f := range o.ours {
		_ = f.Close()
	}
	o.copies.Wait()
	if o.failed == nil {
		return nil
	}
	return &fault.Error{
		Code: "exec.output_lost", Message: fmt.Sprintf("the terminal took not all that the command printed: %v", o.failed),
		Next: "run the command again, or write what it prints to a file", Err: o.failed,
	}
}
