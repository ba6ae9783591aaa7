package testrun

import (
	"context"
	"io"
	"os"
	"regexp"
	"sync"
	"syscall"

	"github.com/wr-build/wr/runtime/spec"
)

// Terminal is that of the caller, which one process at a time can have.
type Terminal interface {
	// Lend gives it to p, which is about to start, until restore is called. That
	// may be called again, and from several goroutines.
	Lend(p *spec.Process) (stdio spec.Stdio, restore func(), err error)
}

// attach runs u's process with its output in the log, and on the terminal if it
// is to have that.
func (u Unit) attach(ctx context.Context, r spec.Runner, dir *unitDir) (spec.Exit, error) {
	p := u.process(dir)
	if !u.Debug.Terminal {
		exit, err := r.Run(ctx, u.container(dir), p, spec.Stdio{In: dir.null, Out: dir.log, Err: dir.log})
		return exit, u.explainPort(err)
	}
	stdio, restore, err := u.Terminal.Lend(&p)
	if err != nil {
		return spec.Exit{}, err
	}
	defer restore()
	// Who ends the run gets the terminal back at once, however long the rest takes.
	defer context.AfterFunc(ctx, restore)()
	p.Terminal = true
	shown, done, err := duplicated(stdio.Out, dir.log)
	if err != nil {
		return spec.Exit{}, err
	}
	defer done()
	stdio.Out, stdio.Err = shown, shown
	return r.Run(ctx, u.container(dir), p, stdio)
}

// duplicated returns a file. What is written to it goes to both others, the
// second one as far as that is possible, and has arrived when done returns.
func duplicated(out io.Writer, log io.Writer) (in *os.File, done func(), err error) {
	from, in, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	var copying sync.WaitGroup
	copying.Go(func() {
		defer from.Close()
		_, _ = io.Copy(io.MultiWriter(out, lossy{log}), from)
	})
	return in, func() {
		_ = in.Close()
		copying.Wait()
	}, nil
}

// lossy writes what it can, and never fails.
type lossy struct{ to io.Writer }

func (l lossy) Write(data []byte) (int, error) {
	_, _ = l.to.Write(data)
	return len(data), nil
}

// stoppedByUser matches what pytest says when the person at its terminal has
// stopped it: by Ctrl-C, in pdb, or in a shell of wr_debug.
var stoppedByUser = regexp.MustCompile(`^(KeyboardInterrupt: |Exit: Quitting debugger|Exit: wr: the shell)`)

// quit reports whether the person at the terminal has stopped pytest.
func (s *session) quit(exit spec.Exit) bool {
	if exit.Signal == int(syscall.SIGINT) { // before Python, or pytest, was ready for it
		return true
	}
	return exit.Code == exitInterrupted && s.finish != nil && stoppedByUser.MatchString(s.finish.Stopped)
}
