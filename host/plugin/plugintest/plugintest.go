// Package plugintest is for tests of first-party plugins. It builds the plugin of
// the current directory as its users have it, once as a native program and once
// as a module, and lets a test speak with both the way wr does: over pipes, by
// wr/1. What holds for one has to hold for the other.
//
// The module sees a read-only tree, and of that what its manifest asks for. Limits
// and grants are tested where they are made.
package plugintest

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Plugin is the plugin of one directory, built.
type Plugin struct {
	Manifest *manifest.Manifest

	native string // path of the program
	module string
	guest  string // path of what runs the module
	cache  string // directory of compiled code
}

// Build builds the plugin of the current directory and reads its manifest.
func Build(t testing.TB) *Plugin {
	t.Helper()
	return BuildProgram(t, ".")
}

// BuildProgram builds another Go program, by its import path, with the manifest of
// the current directory: a tool that is no plugin by itself.
func BuildProgram(t testing.TB, program string) *Plugin {
	t.Helper()
	dir := t.TempDir()
	p := &Plugin{
		Manifest: ReadManifest(t), cache: dir,
		native: filepath.Join(dir, "native"), module: filepath.Join(dir, "module.wasm"), guest: filepath.Join(dir, "guest"),
	}
	here := []string{"GOOS=", "GOARCH="} // of this machine, also where the test is emulated
	compile(t, program, p.native, here...)
	compile(t, program, p.module, "GOOS=wasip1", "GOARCH=wasm")
	compile(t, "github.com/wr-build/wr/host/plugin/plugintest/guest", p.guest, here...)
	return p
}

func compile(t testing.TB, program, file string, env ...string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", file, program)
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s %v: %v\n%s", program, env, err, out)
	}
}

// Each runs test twice, with the native program and with the module. The plugin
// sees the files of tree, a directory, and gets config, which may be nil. When the
// test has not failed the plugin must end as the protocol says.
func (p *Plugin) Each(t *testing.T, tree string, config any, test func(t *testing.T, s *rpc.Session)) {
	for name, command := range map[string]starter{"native": p.program, "module": p.instance} {
		t.Run(name, func(t *testing.T) {
			s, err := rpc.Open(t.Context(), start(t, tree, command), hello(t, config), p.listener(t))
			if err != nil {
				t.Fatal(err)
			}
			test(t, s)
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Open greets the plugin with a config that may be wrong, and returns what it says.
func (p *Plugin) Open(t *testing.T, config any) error {
	t.Helper()
	s, err := rpc.Open(t.Context(), start(t, t.TempDir(), p.program), hello(t, config), p.listener(t))
	if err == nil {
		_ = s.Close(t.Context())
	}
	return err
}

func hello(t testing.TB, config any) abi.Initialize {
	t.Helper()
	first := abi.Initialize{Protocols: []string{abi.Version}, Host: abi.Party{Name: "wr"}}
	if config == nil {
		return first
	}
	raw, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	first.Config = raw
	return first
}

// listener fails the test for what a plugin prints beside its messages.
func (p *Plugin) listener(t testing.TB) rpc.Listener {
	return rpc.Listener{
		Log:   func(l abi.Log) { t.Logf("%s: %s", l.Level, l.Message) },
		Stray: func(line string) { t.Errorf("%s printed %s", p.Manifest.Name, line) },
	}
}

// starter makes the command that runs a plugin over a tree with arguments.
type starter func(ctx context.Context, t testing.TB, tree string, args ...string) *exec.Cmd

// start starts the plugin as one process.
func start(t testing.TB, tree string, starter starter) rpc.Instance {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	command := starter(ctx, t, tree)
	command.Stderr = t.Output()
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, writer := io.Pipe() // Wait must not close what the session still reads
	command.Stdout = writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = writer.CloseWithError(command.Wait())
	}()
	t.Cleanup(func() { kill(); _ = stdout.Close(); <-ended })
	return rpc.Instance{Stdin: stdin, Stdout: stdout, Kill: kill}
}

// program is the native program over a tree.
func (p *Plugin) program(ctx context.Context, _ testing.TB, tree string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, p.native, args...)
	command.Dir = tree
	return command
}

// instance is the module over a tree. It runs in a process of its own, so that the
// race detector does not slow its compiler down to minutes.
func (p *Plugin) instance(ctx context.Context, t testing.TB, tree string, args ...string) *exec.Cmd {
	t.Helper()
	order := Order{Module: p.module, Cache: p.cache, Tree: tree, Place: p.place(), Args: append([]string{p.Manifest.Name}, args...)}
	for _, c := range p.Manifest.Capabilities {
		if c.Name == abi.CapRead {
			order.Read = append(order.Read, c.Value)
		}
	}
	text, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	return exec.CommandContext(ctx, p.guest, string(text))
}

// place is where the module sees the tree.
func (p *Plugin) place() string {
	if tool := p.Manifest.Tool; tool != nil && tool.Root != "" {
		return tool.Root
	}
	return abi.Source
}
