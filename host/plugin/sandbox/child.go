package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// nobody is the user of children that read no workspace, where wr is root.
const nobody = 65534

// Child is a process that runs instances of one plugin.
type Child struct {
	name    string
	limits  Limits
	process *process
	facts   confine.Facts
	slots   chan struct{} // one for each instance that may run

	mu        sync.Mutex // guards what follows
	last      int        // number of the newest instance
	instances map[int]*Instance
	gone      error // why the child is no more; nil = it lives
}

// Start returns a child that is ready to run instances. A module that nobody has
// compiled yet is compiled first. The end of ctx ends the start, not the child.
func Start(ctx context.Context, c Config) (*Child, error) {
	c.Limits = c.Limits.or(Default())
	made := c.made()
	child, err := c.start(ctx)
	if fault.HasCode(err, codeStale) {
		if err := c.compile(ctx, &made); err != nil {
			return nil, err
		}
		child, err = c.start(ctx)
	}
	return child, err
}

// start starts a child with the module as it was compiled.
func (c Config) start(ctx context.Context) (*Child, error) {
	p, err := spawn(c.Program)
	if err != nil {
		return nil, err
	}
	p.peak = c.Peak
	release := context.AfterFunc(ctx, func() { p.kill(stopped(ctx, c.Name)) })
	defer release()
	facts, err := c.ready(p)
	if err != nil {
		return nil, p.failed(c.Name, err)
	}
	child := &Child{
		name: c.Name, limits: c.Limits, process: p, facts: facts,
		slots: make(chan struct{}, c.Limits.Instances), instances: map[int]*Instance{},
	}
	go child.listen()
	return child, nil
}

// ready hands the child what it needs.
func (c Config) ready(p *process) (confine.Facts, error) {
	code, err := os.Open(filepath.Join(c.folder(), "code"))
	if err != nil {
		return confine.Facts{}, stale(err)
	}
	defer code.Close()
	outline, err := os.Open(filepath.Join(c.folder(), outlineFile))
	if err != nil {
		return confine.Facts{}, stale(err)
	}
	defer outline.Close()
	h := c.hello(confine.Rules{User: nobody, Group: nobody, Address: c.Limits.address(), Files: uint64(c.Limits.Files)})
	h.Code = code.Name()
	files := []*os.File{outline, code}
	if c.Root != nil {
		h.Root, files = c.Root.Name(), append(files, c.Root)
		if h.Rules.User, h.Rules.Group, err = owner(c.Root); err != nil {
			return confine.Facts{}, err
		}
	}
	if err := p.send(h, files...); err != nil {
		return confine.Facts{}, err
	}
	// Why only now: it takes as long as the child's way to where it needs the code.
	if err := c.verify(); err != nil {
		return confine.Facts{}, stale(err)
	}
	c.note()
	_ = p.send(request{Verified: true}) // a child that has ended has said why, and ready reads it
	return p.ready(nil)
}

func (c Config) hello(rules confine.Rules) hello {
	return hello{
		Version: protocol, Digest: c.Digest, Rules: rules, Limits: c.Limits,
		Mount: c.Mount, Clock: c.Clock, Random: c.Random,
	}
}

// Facts say what holds the child.
func (c *Child) Facts() confine.Facts { return c.facts }

// Kill ends the child and all its instances at once. why is what their Wait
// returns.
func (c *Child) Kill(why error) { c.process.kill(why) }

// Close ends the child. It returns when nothing of it is left.
func (c *Child) Close() error {
	c.Kill(errClosed)
	<-c.process.gone
	return nil
}

var errClosed = errors.New("the plugin's process was closed")

// listen takes what the child reports until it is gone.
func (c *Child) listen() {
	for {
		var r report
		files, err := c.process.control.Receive(&r)
		wire.CloseAll(files) // a child has none to give
		if err != nil {
			break
		}
		if r.Ended != nil {
			c.ended(*r.Ended)
		}
	}
	// Why: a child that says what it must not, or closes the channel, is no use.
	c.process.kill(nil)
	err := c.process.end(c.name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = err
	for _, i := range c.instances {
		i.finish(End{}, c.perhapsNeighbour(i, err))
	}
	clear(c.instances)
}

// perhapsNeighbour is err as the instance is to see it: who did nothing wrong can
// be started again.
func (c *Child) perhapsNeighbour(i *Instance, err error) error {
	t, ok := errors.AsType[*timeoutError](err)
	if !ok || t.of == i.id {
		return err
	}
	return &fault.Error{
		Code: CodeStopped, Message: fmt.Sprintf("plugin %s was stopped because another call of it took too long", c.name),
		Next: "run it again", Err: err,
	}
}

// ended tells an instance that it has ended.
func (c *Child) ended(e ended) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := c.instances[e.ID]; i != nil {
		delete(c.instances, e.ID)
		i.finish(e.End, nil)
	}
}
