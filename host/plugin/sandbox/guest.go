package sandbox

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"
)

// guest is one instance, inside of the child.
type guest struct {
	tree   Tree
	memory memory
	clock  clock
	stdin  *input
	stdout *output
	stderr *logged
	told   Usage // the last that was
}

func newGuest(l Limits, tree Tree, files []*os.File) *guest {
	g := &guest{
		tree: tree, memory: memory{limit: uint64(l.Memory)},
		stdout: &output{file: files[1], left: l.Output}, stderr: &logged{to: files[2], left: l.Log},
	}
	g.stdin, g.stdout.news = &input{File: files[0], clock: &g.clock}, g.news
	return g
}

// run runs the guest to its end.
func (g *guest) run(ctx context.Context, c *child, s start) End {
	began := time.Now()
	err := g.instantiate(experimental.WithMemoryAllocator(ctx, &g.memory), c, s)
	g.stdout.flush()
	g.stderr.flush()
	end := g.end(err)
	end.Usage = g.used()
	end.Usage.Time, end.Usage.Output = time.Since(began), g.stdout.written
	return end
}

// used is what the guest needed so far. It may still run.
func (g *guest) used() Usage {
	files, read := g.tree.Read()
	return Usage{Memory: int64(g.memory.size.Load()), Files: files, Read: read}
}

// instantiate makes an instance, which runs it, and removes it.
func (g *guest) instantiate(ctx context.Context, c *child, s start) (err error) {
	defer func() {
		// Why: wazero has no other word for a memory that cannot be had.
		if r := recover(); r != nil {
			if !g.memory.refused {
				panic(r)
			}
			err = &stop{limit: "memory"}
		}
	}()
	instance, err := c.runtime.InstantiateModule(ctx, c.module, g.config(c, s))
	if instance != nil {
		err = errors.Join(err, instance.Close(ctx))
	}
	return err
}

// config is the guest's world.
func (g *guest) config(c *child, s start) wazero.ModuleConfig {
	files := wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(g.tree.FS(), "/")
	config := wazero.NewModuleConfig().WithName("").WithArgs(s.Args...).WithFSConfig(files).
		WithStdin(g.stdin).WithStdout(g.stdout).WithStderr(g.stderr).WithNanosleep(g.clock.sleep)
	for _, pair := range s.Env {
		name, value, _ := strings.Cut(pair, "=")
		config = config.WithEnv(name, value)
	}
	if c.hello.Clock {
		config = config.WithSysWalltime().WithSysNanotime()
	} else {
		config = config.WithWalltime(g.clock.wall, sys.ClockResolution(time.Microsecond)).WithNanotime(g.clock.monotonic, sys.ClockResolution(time.Microsecond))
	}
	if c.hello.Random {
		config = config.WithRandSource(rand.Reader)
	}
	return config
}

// end says how the guest ended.
func (g *guest) end(err error) End {
	var end End
	if exit, ok := errors.AsType[*sys.ExitError](err); ok {
		end.Exit = int(exit.ExitCode())
	} else if err != nil {
		end.Trap, end.Trace = explain(err)
	}
	end.Limit = g.limit(err, end)
	return end
}

// limit is the one that the guest ran into. One that was refused a file may end as
// if all were well, because it has passed over that file; memory it can do without.
func (g *guest) limit(err error, end End) string {
	stopped, _ := errors.AsType[*stop](err)
	switch {
	case stopped != nil:
		return stopped.limit
	case end.Trap == "stack overflow":
		return "stack"
	case g.tree.Exceeded() != "":
		return g.tree.Exceeded()
	case g.memory.refused && !end.OK():
		return "memory"
	}
	return ""
}

// stop is the panic that ends a guest in the middle of what it does.
type stop struct{ limit string }

func (s *stop) Error() string { return "limit of " + s.limit + " reached" }

// explain parts what wazero says of a trap: what happened and where. It tells the
// two apart by words only.
func explain(err error) (trap, trace string) {
	trap, trace, _ = strings.Cut(err.Error(), "\nwasm stack trace:\n")
	if _, after, found := strings.Cut(trap, "failed: "); found {
		trap = after
	}
	trap = strings.TrimSuffix(strings.TrimPrefix(trap, "wasm error: "), " (recovered by wazero)")
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "\t")
	}
	return trap, strings.Join(lines, "\n")
}
