package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
	"github.com/wr-build/wr/sdk/go/abi"
)

// sandboxed is a module as wr runs it, over a directory at a place.
func (b *bench) sandboxed(module, dir, place string, instances int) (sandbox.Config, error) {
	code, err := os.ReadFile(module)
	if err != nil {
		return sandbox.Config{}, err
	}
	root, err := os.Open(dir)
	if err != nil {
		return sandbox.Config{}, err
	}
	b.closers = append(b.closers, func() { _ = root.Close() })
	mount, err := json.Marshal(vfs.Mount{Globs: []string{"**/*"}, At: place})
	sum := sha256.Sum256(code)
	return sandbox.Config{
		Name: filepath.Base(module), Module: module, Digest: hex.EncodeToString(sum[:]), CacheDir: filepath.Join(b.dir, "compiled"),
		Root: root, Mount: mount, Limits: sandbox.Limits{Instances: instances}, Program: filepath.Join(filepath.Dir(b.wr), "helper", "wr-plugin"),
	}, err
}

// child starts a module as wr runs it, which lives as long as the bench.
func (b *bench) child(ctx context.Context, module, dir, place string, instances int) (*sandbox.Child, error) {
	config, err := b.sandboxed(module, dir, place, instances)
	if err != nil {
		return nil, err
	}
	child, err := sandbox.Start(ctx, config)
	if err == nil {
		b.closers = append(b.closers, func() { _ = child.Close() })
	}
	return child, err
}

// instance starts an instance of a child as one end of a session.
func instance(ctx context.Context, child *sandbox.Child) (rpc.Instance, error) {
	i, err := child.Instance(ctx, sandbox.Command{Args: []string{"plugin"}})
	if err != nil {
		return rpc.Instance{}, err
	}
	return rpc.Instance{Stdin: i.Stdin, Stdout: i.Stdout, Kill: func() { _ = child.Close() }}, nil
}

// program starts a program as one end of a session. It has one processor.
func (b *bench) program(ctx context.Context, dir string, argv ...string) (rpc.Instance, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "GOMAXPROCS=1"), os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return rpc.Instance{}, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return rpc.Instance{}, err
	}
	if err := cmd.Start(); err != nil {
		return rpc.Instance{}, err
	}
	kill := func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	b.closers = append(b.closers, kill)
	return rpc.Instance{Stdin: stdin, Stdout: stdout, Kill: kill}, nil
}

// greet opens a session.
func greet(ctx context.Context, i rpc.Instance, err error) (*rpc.Session, error) {
	if err != nil {
		return nil, err
	}
	return rpc.Open(ctx, i, abi.Initialize{Protocols: []string{abi.Version}, Host: abi.Party{Name: "bench"}}, rpc.Listener{})
}

// linters are sessions that look at files, each at one at a time.
type linters []*rpc.Session

// lint has files looked at, and returns how much is said of them.
func (all linters) lint(ctx context.Context, files []string) (found int, err error) {
	waiting, counts := make(chan string), make([]int, len(all))
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		defer close(waiting)
		for _, name := range files {
			select {
			case waiting <- name:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	})
	for i, session := range all {
		work.Go(func() error {
			for name := range waiting {
				var result abi.LintResult
				if err := session.Call(ctx, nil, abi.MethodLint, abi.LintParams{Work: abi.Work{Project: "."}, Files: []string{name}}, &result); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				counts[i] += len(result.Diagnostics)
			}
			return nil
		})
	}
	err = work.Wait()
	for _, n := range counts {
		found += n
	}
	return found, err
}

// printed runs an instance with arguments and returns what it printed on stdout.
func printed(ctx context.Context, child *sandbox.Child, args []string) (string, error) {
	i, err := child.Instance(ctx, sandbox.Command{Args: args, Env: []string{"PWD=/"}})
	if err != nil {
		return "", err
	}
	defer i.Close()
	_ = i.Stdin.Close()
	out, err := io.ReadAll(i.Stdout)
	if err != nil {
		return "", err
	}
	end, err := i.Wait()
	if err == nil && (end.Trap != "" || end.Limit != "" || end.Exit > 1) {
		err = fmt.Errorf("it ended with %+v", end)
	}
	return string(out), err
}

// server is a program that answers lines with lines.
type server struct {
	stdin io.Writer
	lines *bufio.Reader
}

func (b *bench) answering(ctx context.Context, argv ...string) (server, error) {
	i, err := b.program(ctx, b.dir, argv...)
	return server{i.Stdin, bufio.NewReader(i.Stdout)}, err
}

func (s server) ask(line string) (string, error) {
	if _, err := io.WriteString(s.stdin, line+"\n"); err != nil {
		return "", err
	}
	answer, err := s.lines.ReadString('\n')
	return string(bytes.TrimSpace([]byte(answer))), err
}

// errDiffers is that two subjects of a contest did not do the same.
var errDiffers = errors.New("it does not find what the others find")
