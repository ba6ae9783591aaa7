package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/sdk/go/abi"
)

// dockerfiles is a plugin that speaks the protocol, a call for each file.
func (b *bench) dockerfiles(ctx context.Context) ([]subject, []goal, error) {
	p := b.plugins
	child, err := b.child(ctx, p.dockerfile, p.dockerfiles.dir, "", 2)
	if err != nil {
		return nil, nil, err
	}
	var wr, native, closing linters
	for range 2 {
		i, err := instance(ctx, child)
		guest, err1 := greet(ctx, i, err)
		i, err = b.program(ctx, p.dockerfiles.dir, p.nativeDockerfile)
		program, err2 := greet(ctx, i, err)
		if err := errors.Join(err1, err2); err != nil {
			return nil, nil, err
		}
		wr, native = append(wr, guest), append(native, program)
	}
	i, err := b.program(ctx, p.dockerfiles.dir, b.peer("plughost"), "session", p.dockerfile, filepath.Join(b.dir, "closing"), p.dockerfiles.dir, abi.Source, "dockerfile")
	other, err := greet(ctx, i, err)
	if err != nil {
		return nil, nil, err
	}
	closing = linters{other}
	want, err := native.lint(ctx, p.dockerfiles.names)
	if err != nil {
		return nil, nil, err
	}
	look := func(l linters) func(context.Context) error {
		return func(ctx context.Context) error {
			found, err := l.lint(ctx, p.dockerfiles.names)
			if err == nil && found != want {
				err = fmt.Errorf("%w: %d, not %d", errDiffers, found, want)
			}
			return err
		}
	}
	files := fmt.Sprintf(", %d files", len(p.dockerfiles.names))
	return []subject{
		{name: "a program of this machine, one core" + files, within: look(native[:1])},
		{name: "two of it", within: look(native)},
		{name: "wr, one instance", within: look(wr[:1])},
		{name: "wr, two instances", within: look(wr)},
		{name: "wazero in the process itself, close on context done", within: look(closing)},
	}, []goal{{2, 4, 0.4}, {2, 0, 12}, {3, 1, 12}}, nil
}

// scripts is a tool that is started for all files.
func (b *bench) scripts(ctx context.Context) ([]subject, []goal, error) {
	p := b.plugins
	child, err := b.child(ctx, p.shfmt, p.scripts.dir, "/", 2)
	if err != nil {
		return nil, nil, err
	}
	closing, err := b.answering(ctx, b.peer("plughost"), "tool", p.shfmt, filepath.Join(b.dir, "closing"), p.scripts.dir, "/")
	if err != nil {
		return nil, nil, err
	}
	argv := func(before string, names []string) []string {
		args := []string{"shfmt", "-l"}
		for _, name := range names {
			args = append(args, before+name)
		}
		return args
	}
	first, second := p.scripts.names[:len(p.scripts.names)/2], p.scripts.names[len(p.scripts.names)/2:]
	run := func(halves ...[]string) func(context.Context) error {
		return func(ctx context.Context) error {
			return each(halves, func(names []string) error {
				_, err := printed(ctx, child, argv("/", names))
				return err
			})
		}
	}
	native := func(halves ...[]string) func(context.Context) error {
		return func(ctx context.Context) error {
			return each(halves, func(names []string) error {
				args := argv("", names)
				args[0] = p.nativeShfmt
				return command{dir: p.scripts.dir, env: append(os.Environ(), "GOMAXPROCS=1"), argv: args, exit: 1}.run(ctx)
			})
		}
	}
	want, err := printed(ctx, child, argv("/", p.scripts.names))
	if err != nil {
		return nil, nil, err
	}
	ask := func(context.Context) error {
		line, err := json.Marshal(argv("/", p.scripts.names))
		if err != nil {
			return err
		}
		answer, err := closing.ask(string(line))
		if err == nil && strings.Count(answer, `\n`) < strings.Count(want, "\n") {
			err = errDiffers
		}
		return err
	}
	files := fmt.Sprintf(", %d files", len(p.scripts.names))
	return []subject{
		{name: "a program of this machine, one core" + files, within: native(p.scripts.names)},
		{name: "two of it, half of them each", within: native(first, second)},
		{name: "wr, one instance", within: run(p.scripts.names)},
		{name: "wr, two instances, half of them each", within: run(first, second)},
		{name: "wazero in the process itself, close on context done", within: ask},
	}, []goal{{2, 4, 0.4}, {2, 0, 8}, {3, 1, 8}}, nil
}

// each does something with both halves at once.
func each(halves [][]string, do func([]string) error) error {
	var work errgroup.Group
	for _, half := range halves {
		work.Go(func() error { return do(half) })
	}
	return work.Wait()
}

// first is from the decision to ask a plugin to its answer.
func (b *bench) first(ctx context.Context) ([]subject, []goal, error) {
	config, err := b.sandboxed(b.plugins.guest, b.dir, "", 1)
	if err != nil {
		return nil, nil, err
	}
	if err := sandbox.Compile(ctx, config); err != nil {
		return nil, nil, err
	}
	params := abi.TaskParams{Task: "echo", Args: []string{"1"}}
	start := func(program string) func(context.Context) error {
		return func(ctx context.Context) error {
			config := config
			config.Program = program
			child, err := sandbox.Start(ctx, config)
			if err != nil {
				return err
			}
			b.closers = append(b.closers, func() { _ = child.Close() })
			i, err := instance(ctx, child)
			session, err := greet(ctx, i, err)
			if err != nil {
				return err
			}
			var result abi.TaskResult
			return session.Call(ctx, nil, abi.MethodTask, params, &result)
		}
	}
	native := func(ctx context.Context) error {
		session, err := b.session(ctx, b.plugins.nativeGuest)
		if err != nil {
			return err
		}
		var result abi.TaskResult
		return session.Call(ctx, nil, abi.MethodTask, params, &result)
	}
	return []subject{
		{name: "a program of this machine", within: native},
		{name: "wr", within: start(config.Program)},
		{name: "wr, by its own program", within: start(b.wr)},
	}, []goal{{1, 1, 60}}, nil
}
