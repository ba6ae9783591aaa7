package scaffold

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// goCommand runs the go command in dir as on a machine without a network.
func goCommand(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = dir
	// For this machine, also where these tests themselves are for another.
	c.Env = append(os.Environ(), append([]string{"GOOS=", "GOARCH=", "GOPROXY=off", "GOFLAGS=", "GOWORK=off"}, env...)...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestANewPluginBuildsWithoutANetworkAndKeepsToTheProtocol(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "plugins", "to-do2")
	plan, err := Plugin(filepath.Dir(dir), "to-do2")
	must(t, err)
	must(t, plan.Write(spec.Owner{}))
	goCommand(t, dir, nil, "vet", "./...")
	goCommand(t, dir, nil, "test", "./...")
	goCommand(t, dir, []string{"GOOS=wasip1", "GOARCH=wasm"}, "build", "-o", "to-do2.wasm")
	native := filepath.Join(t.TempDir(), "to-do2")
	goCommand(t, dir, nil, "build", "-o", native)
	must(t, os.WriteFile(filepath.Join(dir, "a.py"), []byte("x = 1\n# FIXME\n"), 0o644))
	findings, err := conform.Check(t.Context(), conform.Subject{
		Manifest: abi.Manifest{Name: "to-do2", Version: "0.1.0", Provides: abi.Provides{Lint: &abi.Files{}}},
		Files:    []string{"a.py"},
		Start:    process(dir, native),
	})
	if err != nil || len(findings) < 10 {
		t.Fatalf("got %d findings, %v", len(findings), err)
	}
	for _, f := range findings {
		if len(f.Broken) > 0 {
			t.Errorf("%s: %q", f.Rule, f.Broken)
		}
	}
}

// process starts a plugin that is a native program.
func process(dir, program string) func(context.Context) (rpc.Instance, error) {
	return func(ctx context.Context) (rpc.Instance, error) {
		c := exec.CommandContext(ctx, program)
		c.Dir, c.Stderr = dir, os.Stderr
		stdin, err := c.StdinPipe()
		if err != nil {
			return rpc.Instance{}, err
		}
		stdout, err := c.StdoutPipe()
		if err != nil {
			return rpc.Instance{}, err
		}
		return rpc.Instance{Stdin: stdin, Stdout: stdout, Kill: func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		}}, c.Start()
	}
}

func TestWhereAPluginCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "full"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "full", "x"), nil, 0o644))
	for name, want := range map[string]string{"Todo_2": "plugin.name_invalid", "full": "scaffold.exists"} {
		t.Run(name, func(t *testing.T) {
			if _, err := Plugin(dir, name); !fault.HasCode(err, want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
