package hook

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
)

// printed is what a run of a plugin that is a program came to.
type printed struct {
	exit           int
	stdout, stderr []byte
	cut            bool      // there was more on stderr than its limit of log
	notes          vfs.Notes // what it did with its files
}

// execute runs a plugin that is a program, with arguments and with nothing on its
// stdin. Its error is the end of a program that did not end by itself, and of one
// that was not heard to its end.
func (p *Plugin) execute(ctx context.Context, env, args []string) (printed, error) {
	child, err := p.alive(ctx)
	if err != nil {
		return printed{}, err
	}
	stderr := &capped{left: cmp.Or(p.config.Process.Limits.Log, sandbox.Default().Log) + 1}
	instance, err := child.Instance(ctx, sandbox.Command{Args: append([]string{p.Name()}, args...), Env: env, Log: p.both(stderr)})
	if err != nil {
		if ctx.Err() == nil {
			p.bury(child)
		}
		return printed{}, err
	}
	defer instance.Close()
	ctx, cancel := context.WithTimeout(ctx, p.config.Time)
	defer cancel()
	defer instance.Guard(ctx)()
	_ = instance.Stdin.Close() // nothing more can come of it
	most := cmp.Or(p.config.Process.Limits.Output, sandbox.Default().Output)
	stdout, err := io.ReadAll(io.LimitReader(instance.Stdout, most+1))
	if err != nil {
		return printed{}, fmt.Errorf("read what plugin %s prints: %w", p.Name(), err)
	}
	if int64(len(stdout)) > most { // its process should have seen to that
		child.Kill(p.ended(sandbox.End{Limit: "output"}, nil))
	}
	end, gone := instance.Wait()
	seen(ctx).used(sandbox.Usage{}, instance.Usage())
	if gone != nil {
		p.bury(child)
		return printed{}, gone
	}
	if end.Limit != "" || end.Trap != "" {
		return printed{}, p.ended(end, nil)
	}
	notes, err := notesOf(instance, seen(ctx))
	if err != nil {
		p.bury(child)
	}
	return printed{end.Exit, stdout, stderr.kept.Bytes(), stderr.left == 0, notes}, err
}

// both is where a program's stderr goes: to be read, and to the plugin's log.
func (p *Plugin) both(read io.Writer) io.Writer {
	if log := p.log(); log != nil {
		return io.MultiWriter(read, log)
	}
	return read
}

// capped keeps what is written first.
type capped struct {
	kept bytes.Buffer
	left int64 // bytes that it has room for
}

func (c *capped) Write(b []byte) (int, error) {
	n, err := c.kept.Write(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	return len(b), err
}
