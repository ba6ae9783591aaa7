package sandbox

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// Serve is the child process. It ends with its parent. Instances see the tree
// that mount makes for each of them.
func Serve(ctx context.Context, mount Mount) error {
	if err := closeInherited(); err != nil {
		return err
	}
	control, err := wire.FromFile(os.NewFile(controlFD, "control"))
	if err != nil {
		return fmt.Errorf("control channel: %w", err)
	}
	defer control.Close()
	// Why: what a child makes at its start is still needed at its end.
	debug.SetGCPercent(400)
	c := &child{mount: mount, control: control, trees: map[int]*asked{}}
	facts, err := c.prepare(ctx)
	if err != nil {
		return control.Send(report{Fault: fault.Of(err)})
	}
	if err := control.Send(report{Ready: &ready{Version: protocol, Facts: facts}}); err != nil || c.hello.Compile {
		return err
	}
	return c.serve(ctx)
}

// child is what the child process knows.
type child struct {
	mount   Mount
	control *wire.Conn
	hello   hello
	root    *os.Root // nil = none
	runtime wazero.Runtime
	module  wazero.CompiledModule

	mu    sync.Mutex // guards trees and what is in them
	trees map[int]*asked
}

// asked is the tree of an instance. It is needed until the guest has ended and
// nobody will ask what it has left.
type asked struct {
	Tree
	ended, forgotten bool
}

// prepare gets ready to run instances: nothing of the module is looked at before
// the process is confined.
func (c *child) prepare(ctx context.Context) (confine.Facts, error) {
	files, err := c.control.Receive(&c.hello)
	if err != nil {
		return confine.Facts{}, err
	}
	defer wire.CloseAll(files)
	if c.hello.Version != protocol || len(files) < 2 {
		return confine.Facts{}, &fault.Error{
			Code: CodeProtocol, Message: fmt.Sprintf("wr was replaced while it ran: version %d of the child's protocol, not %d", c.hello.Version, protocol),
			Next: "run it again",
		}
	}
	code, rules := directory(files[1], c.hello.Code), c.hello.Rules
	rules.Read = []string{code}
	if c.hello.Compile {
		rules.Write = code
	}
	if len(files) > 2 {
		root := directory(files[2], c.hello.Root)
		rules.Read = append(rules.Read, root)
		if c.root, err = os.OpenRoot(root); err != nil {
			return confine.Facts{}, err
		}
	}
	facts, err := confine.Enter(rules)
	if err != nil {
		return facts, fmt.Errorf("confine the plugin's process: %w", err)
	}
	// Why: Go must collect its garbage before the address space is used up.
	debug.SetMemoryLimit(int64(rules.Address / 2))
	return facts, c.load(ctx, files[0], code)
}

// load reads, verifies and compiles the module, or takes it as it was compiled.
func (c *child) load(ctx context.Context, file *os.File, code string) error {
	binary, err := c.read(file)
	if err != nil {
		return err
	}
	if c.hello.Compile {
		return c.compile(ctx, binary, code)
	}
	if err := c.verified(); err != nil {
		return err
	}
	if c.runtime, c.module, err = compiled(ctx, binary, code); err != nil {
		// A child that only runs what is compiled cannot write: to have to means that
		// the code is of another wazero or processor.
		return &fault.Error{Code: codeStale, Message: err.Error(), Err: err}
	}
	_, err = wasi_snapshot_preview1.Instantiate(ctx, c.runtime)
	return err
}

// compiled is a module as it is kept in a directory, or is kept there then.
func compiled(ctx context.Context, binary []byte, dir string) (wazero.Runtime, wazero.CompiledModule, error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, nil, err
	}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	module, err := r.CompileModule(ctx, binary)
	return r, module, err
}

// read reads a file that is no larger than a module may be.
func (c *child) read(file *os.File) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	binary := make([]byte, min(info.Size(), int64(c.longest())+1))
	_, err = io.ReadFull(file, binary)
	return binary, err
}

// longest is the length of the longest module that is taken, in bytes.
func (c *child) longest() int {
	return cmp.Or(c.hello.Limits.Module.ModuleSize, module.Default().ModuleSize)
}

// compile judges and compiles a module, and leaves its code and its outline in a
// directory.
func (c *child) compile(ctx context.Context, binary []byte, dir string) error {
	// Of a file that is too long there is no hash; Check says so.
	if sum := sha256.Sum256(binary); len(binary) <= c.longest() && hex.EncodeToString(sum[:]) != c.hello.Digest {
		return &fault.Error{
			Code: CodeDigest, Message: fmt.Sprintf("the module has sha256 %x, not %s as it was added", sum, c.hello.Digest),
			Next: "wr plugin update, if it was meant to change",
		}
	}
	if err := c.control.Send(report{Progress: &Progress{Stage: StageCheck}}); err != nil {
		return err
	}
	summary, err := module.Check(binary, c.hello.Limits.Module)
	if err != nil {
		return err
	}
	p := Progress{Stage: StageCompile, Size: summary.Size, Functions: summary.Functions}
	if err := c.control.Send(report{Progress: &p}); err != nil {
		return err
	}
	ctx = experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0))
	if _, _, err := compiled(ctx, binary, dir); err != nil {
		return &fault.Error{
			Code: CodeCompile, Message: "the module cannot be compiled: " + err.Error(),
			Next: "build the plugin for WASI preview 1 with a current compiler", Err: err,
		}
	}
	outline, err := module.Outline(binary)
	if err != nil {
		return err
	}
	if _, _, err := compiled(ctx, outline, filepath.Join(dir, namedDir)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, outlineFile), outline, 0o600)
}

// verified waits until the parent has seen that the compiled code is what it was.
func (c *child) verified() error {
	var r request
	files, err := c.control.Receive(&r)
	wire.CloseAll(files)
	if err == nil && !r.Verified {
		err = errors.New("a request before the compiled code is verified")
	}
	return err
}

// serve does what the parent asks until it closes the channel.
func (c *child) serve(ctx context.Context) error {
	for {
		var r request
		files, err := c.control.Receive(&r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case r.Start != nil && len(files) == 3:
			c.start(ctx, *r.Start, files)
		case r.Take != nil && len(files) == 1:
			go c.take(r.Take.ID, files[0])
		default:
			wire.CloseAll(files)
			c.release(r.Forget, func(a *asked) { a.forgotten = true })
		}
	}
}

// start has an instance run until it ends.
func (c *child) start(ctx context.Context, s start, files []*os.File) {
	tree, err := c.mount(c.root, c.hello.Mount)
	if err != nil {
		wire.CloseAll(files)
		_ = c.control.Send(report{Ended: &ended{ID: s.ID, End: End{Trap: "its files cannot be shown: " + err.Error()}}})
		return
	}
	g := newGuest(c.hello.Limits, tree, files)
	c.mu.Lock()
	c.trees[s.ID] = &asked{Tree: tree}
	c.mu.Unlock()
	go func() {
		end := g.run(ctx, c, s)
		wire.CloseAll(files)
		c.release(s.ID, func(a *asked) { a.ended = true })
		_ = c.control.Send(report{Ended: &ended{ID: s.ID, End: end}}) // if not, the parent is gone, and so is this process
	}()
}

// take hands over what the guest has left in the tree of an instance.
func (c *child) take(id int, to *os.File) {
	defer to.Close()
	c.mu.Lock()
	tree := c.trees[id]
	c.mu.Unlock()
	if tree != nil && tree.Take(to) == nil {
		_, _ = io.WriteString(to, takeEnd) // the parent sees if it is missing
	}
}

// release notes what became of an instance and closes its tree when it may be.
func (c *child) release(id int, note func(*asked)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tree := c.trees[id]
	if tree == nil {
		return
	}
	note(tree)
	if tree.ended && tree.forgotten {
		delete(c.trees, id)
		_ = tree.Close() // it was only read from
	}
}
