package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// plugins is what contests of plugins need: modules, the same as programs of this
// machine, and files.
type plugins struct {
	guest, dockerfile, shfmt                   string // modules
	nativeGuest, nativeDockerfile, nativeShfmt string
	dockerfiles, scripts, tree                 corpus
}

// python is how many files the plugin reads that reads all.
const python = 1000

// makePlugins builds modules and programs, and collects files.
func (b *bench) makePlugins(ctx context.Context) error {
	at := func(name string) string { return filepath.Join(b.dir, name) }
	p := &b.plugins
	p.guest, p.dockerfile, p.shfmt = at("guest.wasm"), filepath.Join(filepath.Dir(b.wr), "plugins/dockerfile.wasm"), filepath.Join(filepath.Dir(b.wr), "plugins/shfmt.wasm")
	p.nativeGuest, p.nativeDockerfile, p.nativeShfmt = at("guest"), at("dockerfile"), at("shfmt")
	for _, build := range []struct {
		out, program string
		env          []string
	}{
		{p.guest, "./cmd/bench/testdata/guest", []string{"GOOS=wasip1", "GOARCH=wasm"}},
		{p.nativeGuest, "./cmd/bench/testdata/guest", nil},
		{p.nativeDockerfile, "./plugins/dockerfile", nil},
		{p.nativeShfmt, "mvdan.cc/sh/v3/cmd/shfmt", nil},
	} {
		argv := []string{"go", "build", "-ldflags", "-s -w", "-o", build.out, build.program}
		if err := (command{env: append(os.Environ(), build.env...), argv: argv}).run(ctx); err != nil {
			return err
		}
	}
	from, err := places()
	if err != nil {
		return err
	}
	for _, c := range []struct {
		to   *corpus
		name string
		most int
		fits func(string) bool
	}{
		{&p.dockerfiles, "dockerfiles", 1000, isDockerfile}, {&p.scripts, "scripts", 1000, isScript}, {&p.tree, "python", python, isPython},
	} {
		if *c.to, err = collect(at(c.name), c.most, c.fits, append(from, "/usr/lib/python3", "/usr/lib/python3.11")...); err != nil {
			return err
		}
	}
	return nil
}

// pluginContests are those that need no engine.
func (b *bench) pluginContests() []contest {
	return []contest{
		{title: "plugins: `wr lint`, nothing changed, 1,000 files, five plugins", prepare: b.unchanged},
		{title: "plugins: 1,000 calls of an instance that waits (1 ms is 1 us a call)", prepare: b.echo},
		{title: "plugins: reading 1,000 files of Python", prepare: b.walk},
		{title: "plugins: BuildKit's rules on Dockerfiles", prepare: b.dockerfiles},
		{title: "plugins: shfmt on shell scripts", prepare: b.scripts},
		{title: "plugins: from nothing to the first answer of a compiled plugin of 3 MB", prepare: b.first},
	}
}

// all grants a plugin all files.
type all struct{}

func (all) Allow(abi.Capability) *abi.Denied { return nil }
func (all) Texts() []string                  { return []string{"fs.read:**/*"} }
func (all) Values(name string) []string {
	if name == abi.CapRead {
		return []string{"**/*"}
	}
	return nil
}

// asked is a plugin as commands of wr ask it.
func (b *bench) asked(ctx context.Context, dir string) (*hook.Plugin, error) {
	process, err := b.sandboxed(b.plugins.guest, dir, "", 1)
	if err != nil {
		return nil, err
	}
	plugin, err := hook.New(hook.Config{Manifest: abi.Manifest{Name: "guest", Stateless: true}, Process: process, Grants: all{}})
	if err == nil {
		b.closers = append(b.closers, func() { _ = plugin.Close(ctx) })
	}
	return plugin, err
}

// extism starts Extism's Go SDK with the plugin that does the same.
func (b *bench) extism(ctx context.Context, dir string) (server, error) {
	return b.answering(ctx, b.peer("plughost"), "extism", b.peer("extism.wasm"), filepath.Join(b.dir, "extism"), dir)
}

// peer is a program or module of .ci/peers.
func (b *bench) peer(name string) string { return filepath.Join(filepath.Dir(b.wr), "peers", name) }

// extismCalls has Extism call a function some times, and returns how long these took.
func extismCalls(s server, function string, times int, input, want string) func(context.Context) (time.Duration, error) {
	return func(context.Context) (time.Duration, error) {
		answer, err := s.ask(fmt.Sprint(function, " ", times, " ", input))
		if err != nil {
			return 0, err
		}
		number, out, _ := strings.Cut(answer, " ")
		took, err := strconv.ParseInt(number, 10, 64)
		if err == nil && out != want {
			err = fmt.Errorf("%w: %s", errDiffers, out)
		}
		return time.Duration(took), err
	}
}

// calls is how often an instance is called in a round.
const calls = 1000

// echo is the least that a plugin can be asked.
func (b *bench) echo(ctx context.Context) ([]subject, []goal, error) {
	const text = `{"file":"infra/a.py","rule":"todo","message":"TODO was left here","range":{"start":{"line":2,"column":3}}}`
	params := abi.TaskParams{Task: "echo", Args: []string{text}}
	native, err1 := b.session(ctx, b.plugins.nativeGuest)
	child, err2 := b.child(ctx, b.plugins.guest, b.dir, "", 1)
	if err := errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	i, err := instance(ctx, child)
	guest, err1 := greet(ctx, i, err)
	plugin, err2 := b.asked(ctx, b.dir)
	extism, err3 := b.extism(ctx, b.dir)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, nil, err
	}
	call := func(ask func(result *abi.TaskResult) error) func(context.Context) error {
		return func(context.Context) error {
			for range calls {
				var result abi.TaskResult
				if err := ask(&result); err != nil {
					return err
				}
				if result.Output != text {
					return errDiffers
				}
			}
			return nil
		}
	}
	return []subject{
		{name: "a program of this machine, over pipes", within: call(func(r *abi.TaskResult) error { return native.Call(ctx, nil, abi.MethodTask, params, r) })},
		{name: "wr: a call", within: call(func(r *abi.TaskResult) error { return guest.Call(ctx, nil, abi.MethodTask, params, r) })},
		{name: "wr: a call, with the record of what it saw", within: call(func(r *abi.TaskResult) (err error) {
			*r, _, err = plugin.Task(ctx, params)
			return err
		})},
		{name: "Extism's Go SDK with a timeout", timed: extismCalls(extism, "echo", calls, text, text)},
	}, []goal{{1, 1, 60}, {1, 3, 3}}, nil
}

// session is one with a program of this machine.
func (b *bench) session(ctx context.Context, argv ...string) (*rpc.Session, error) {
	i, err := b.program(ctx, b.dir, argv...)
	return greet(ctx, i, err)
}

// walk is a plugin that reads a tree.
func (b *bench) walk(ctx context.Context) ([]subject, []goal, error) {
	dir := b.plugins.tree.dir
	plugin, err1 := b.asked(ctx, dir)
	extism, err2 := b.extism(ctx, dir)
	i, err := b.program(ctx, dir, b.plugins.nativeGuest)
	native, err3 := greet(ctx, i, err)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, nil, err
	}
	var want abi.TaskResult
	if err := native.Call(ctx, nil, abi.MethodTask, abi.TaskParams{Task: "walk"}, &want); err != nil {
		return nil, nil, err
	}
	same := func(ask func(*abi.TaskResult) error) func(context.Context) error {
		return func(context.Context) error {
			var got abi.TaskResult
			if err := ask(&got); err != nil {
				return err
			}
			if got.Output != want.Output {
				return fmt.Errorf("%w: %s, not %s", errDiffers, got.Output, want.Output)
			}
			return nil
		}
	}
	return []subject{
		{name: "a program of this machine", within: same(func(r *abi.TaskResult) error {
			return native.Call(ctx, nil, abi.MethodTask, abi.TaskParams{Task: "walk"}, r)
		})},
		{name: "wr, with the record of what it saw", within: same(func(r *abi.TaskResult) (err error) {
			*r, _, err = plugin.Task(ctx, abi.TaskParams{Task: "walk"})
			return err
		})},
		{name: "Extism's Go SDK with a timeout", timed: extismCalls(extism, "walk", 1, "", want.Output)},
	}, []goal{{1, 2, 0.7}}, nil
}
