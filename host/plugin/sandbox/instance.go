package sandbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// Command is what a guest is started with.
type Command struct {
	Args []string  // the first is the program's name
	Env  []string  // NAME=value
	Log  io.Writer // gets what the guest writes to stderr, within limits; nil = only its end is kept
}

// Instance is one run of a plugin's module.
type Instance struct {
	Stdin  io.WriteCloser // of the guest
	Stdout io.Reader      // of the guest; whoever does not read it makes the guest wait

	id     int
	child  *Child
	stdout *os.File
	stream *stream
	log    tail
	logged chan struct{} // closed when log is complete

	done    chan struct{} // closed when end and err are set
	end     End
	err     error
	release func() bool // has the end of the context no longer matter
	closing sync.Once

	mu   sync.Mutex // guards used
	used Usage
}

// Instance starts a run of the module, when fewer run than may. The end of ctx
// kills the child, and with it this instance and all others; see Guard for time
// that belongs to a part of the run.
func (c *Child) Instance(ctx context.Context, command Command) (*Instance, error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	i, theirs, err := c.prepare(ctx, command)
	defer wire.CloseAll(theirs)
	if err != nil {
		<-c.slots
		return nil, err
	}
	if err := c.process.control.Send(request{Start: &start{ID: i.id, Args: command.Args, Env: command.Env}}, theirs...); err != nil {
		c.process.kill(nil) // the channel breaks when the child ends, and listen says why it did
	}
	return i, nil
}

// prepare makes an instance with its pipes and returns the guest's ends of them.
func (c *Child) prepare(ctx context.Context, command Command) (*Instance, []*os.File, error) {
	var ours, theirs [3]*os.File
	for n := range ours {
		read, write, err := os.Pipe()
		if err != nil {
			wire.CloseAll(append(ours[:n], theirs[:n]...))
			return nil, nil, err
		}
		ours[n], theirs[n] = read, write
	}
	ours[0], theirs[0] = theirs[0], ours[0] // the guest reads the first
	i := &Instance{
		Stdin: ours[0], stdout: ours[1], child: c,
		logged: make(chan struct{}), done: make(chan struct{}),
	}
	i.stream = &stream{
		from: bufio.NewReaderSize(ours[1], frameHead+frameMost), most: c.limits.Notes, use: i.use,
		refuse: func() { c.process.kill(nil) },
	}
	i.Stdout = i.stream
	go i.drain(ours[2], command.Log)
	return i, theirs[:], c.add(ctx, i)
}

// add has the child know the instance, unless there is no child any more.
func (c *Child) add(ctx context.Context, i *Instance) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	i.id = c.last
	if c.gone != nil {
		_ = i.Stdin.Close()
		_ = i.stdout.Close()
		return c.perhapsNeighbour(i, c.gone)
	}
	i.release = i.Guard(ctx)
	c.instances[i.id] = i
	return nil
}

// drain reads the guest's stderr to its end.
func (i *Instance) drain(from *os.File, to io.Writer) {
	defer close(i.logged)
	defer from.Close()
	if to == nil {
		to = io.Discard
	}
	_, err := io.Copy(io.MultiWriter(&i.log, to), from)
	if err != nil {
		_, _ = io.Copy(&i.log, from) // to takes no more; the guest must not wait for that
	}
}

// finish sets how the instance ended. The child's mutex is held.
func (i *Instance) finish(end End, err error) {
	i.end, i.err = end, err
	if err == nil {
		i.use(end.Usage)
	}
	i.release()
	<-i.child.slots
	close(i.done)
}

// Guard has the end of ctx kill the child until release is called. An instance
// that answers many calls has one for each.
func (i *Instance) Guard(ctx context.Context) (release func() bool) {
	return context.AfterFunc(ctx, func() {
		i.child.process.kill(&timeoutError{of: i.id, err: stopped(ctx, i.child.name)})
	})
}

// timeoutError is that the child was killed for the sake of one instance.
type timeoutError struct {
	of  int
	err error
}

func (e *timeoutError) Error() string { return e.err.Error() }
func (e *timeoutError) Unwrap() error { return e.err }

// stopped is why a context has a child killed.
func stopped(ctx context.Context, name string) error {
	cause := context.Cause(ctx)
	if !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return &fault.Error{
		Code: CodeTimeout, Message: fmt.Sprintf("plugin %s took longer than it may and was stopped", name),
		Next: "raise limits.call of the plugin in wr.lock, if it needs more time", Err: cause,
	}
}

// Wait waits for the end of the run. It is an error only if the child is gone:
// killed, with the cause that was given, or crashed.
func (i *Instance) Wait() (End, error) {
	<-i.done
	<-i.logged
	end := i.end
	end.Log = string(i.log.kept)
	return end, i.err
}

// Take returns what the guest has left in the instance's Tree, which lets go of it,
// while the guest runs or after its end, until Close. It asks the child, for which a
// guest can make it wait; a Guard bounds that.
func (i *Instance) Take() ([]byte, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	err = i.child.process.control.Send(request{Take: &take{ID: i.id}}, write)
	_ = write.Close()
	if err != nil {
		return nil, i.lost()
	}
	left, err := io.ReadAll(io.LimitReader(read, i.child.limits.Notes+int64(len(takeEnd))))
	switch {
	case err != nil:
		return nil, err
	case int64(len(left)) == i.child.limits.Notes+int64(len(takeEnd)):
		return nil, i.tooMuch()
	case !bytes.HasSuffix(left, []byte(takeEnd)):
		return nil, i.lost()
	}
	return bytes.TrimSuffix(left, []byte(takeEnd)), nil
}

// lost is why nothing can be taken: the child is gone, for the sake of another
// instance perhaps. One that is not and has none is no use.
func (i *Instance) lost() error {
	i.child.process.kill(nil)
	return i.child.perhapsNeighbour(i, i.child.process.end(i.child.name))
}

// Close lets go of the instance. A guest that still runs sees the end of its
// input, and that nobody reads its output; only the child's end ends it for sure.
func (i *Instance) Close() error {
	i.closing.Do(func() {
		_ = i.Stdin.Close()
		_ = i.stdout.Close()
		_ = i.child.process.control.Send(request{Forget: i.id}) // a child that is gone has forgotten
	})
	return nil
}
