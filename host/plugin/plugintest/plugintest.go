// Package plugintest is for tests of first-party plugins. It builds the plugin of
// the current directory as its users have it, once as a native program and once
// as a module, and lets a test speak with both the way wr does: over pipes, by
// wr/1. What holds for one has to hold for the other.
//
// The module runs in the test's own process, over a read-only tree of which it sees
// what its manifest asks for. Limits and grants are tested where they are made.
package plugintest

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Plugin is the plugin of one directory, built.
type Plugin struct {
	Manifest abi.Manifest

	native  string // path of the program
	runtime wazero.Runtime
	module  wazero.CompiledModule
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
	p := &Plugin{Manifest: ReadManifest(t), native: filepath.Join(dir, "native")}
	compile(t, program, p.native, "GOOS=", "GOARCH=") // of this machine, also where the test is emulated
	p.load(t, filepath.Join(dir, "module.wasm"), program)
	return p
}

// load builds a module and compiles it.
func (p *Plugin) load(t testing.TB, file, program string) {
	t.Helper()
	compile(t, program, file, "GOOS=wasip1", "GOARCH=wasm")
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	p.runtime = wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = p.runtime.Close(context.WithoutCancel(ctx)) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		t.Fatal(err)
	}
	if p.module, err = p.runtime.CompileModule(ctx, code); err != nil {
		t.Fatal(err)
	}
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
	for name, start := range map[string]func(testing.TB, string) rpc.Instance{"native": p.startNative, "module": p.startModule} {
		t.Run(name, func(t *testing.T) {
			s, err := rpc.Open(t.Context(), start(t, tree), hello(t, config), p.listener(t))
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
	s, err := rpc.Open(t.Context(), p.startNative(t, t.TempDir()), hello(t, config), p.listener(t))
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

func (p *Plugin) startNative(t testing.TB, tree string) rpc.Instance {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	command := exec.CommandContext(ctx, p.native)
	command.Dir, command.Stderr = tree, t.Output()
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

func (p *Plugin) startModule(t testing.TB, tree string) rpc.Instance {
	t.Helper()
	stdin, toGuest := io.Pipe()
	fromGuest, stdout := io.Pipe()
	ended := make(chan struct{})
	config := p.config(t, tree, abi.Source).WithStdin(stdin).WithStdout(stdout).WithStderr(t.Output())
	go func() {
		defer close(ended)
		_, err := p.runtime.InstantiateModule(context.WithoutCancel(t.Context()), p.module, config)
		_ = stdout.CloseWithError(err)
		_ = stdin.CloseWithError(err)
	}()
	kill := func() { _ = stdin.Close(); _ = stdout.Close() }
	t.Cleanup(func() { kill(); <-ended })
	return rpc.Instance{Stdin: toGuest, Stdout: fromGuest, Kill: kill}
}

// config is that of an instance that sees at a place what its manifest asks for of a
// tree, and nothing else.
func (p *Plugin) config(t testing.TB, tree, place string) wazero.ModuleConfig {
	t.Helper()
	root, err := os.OpenRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return wazero.NewModuleConfig().WithName("").WithFSConfig(wazero.NewFSConfig().WithFSMount(grant(root.FS(), p.Manifest.Capabilities), place))
}
