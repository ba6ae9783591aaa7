package plugintest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Output is how a run of a tool ended.
type Output struct {
	Exit   int
	Stdout string
	Stderr string
}

// files is what stands for the files of a call in the arguments of a tool.
const files = "{files}"

// RunTool runs the module of a tool with arguments of its manifest over files of
// tree, and the native program over the same files.
func (p *Plugin) RunTool(t *testing.T, tree string, args, names []string) (module, native Output) {
	t.Helper()
	tree, err := filepath.Abs(tree)
	if err != nil {
		t.Fatal(err)
	}
	place := cmp.Or(p.Manifest.Tool.Root, abi.Source)
	return p.runModule(t, tree, place, expand(args, place, names)), p.runNative(t, tree, expand(args, tree, names))
}

// expand puts files below a root into arguments.
func expand(args []string, root string, names []string) []string {
	var all []string
	for _, arg := range args {
		if arg != files {
			all = append(all, arg)
			continue
		}
		for _, name := range names {
			all = append(all, path.Join(root, name))
		}
	}
	return all
}

func (p *Plugin) runModule(t *testing.T, tree, place string, args []string) Output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	config := p.config(t, tree, place).WithArgs(append([]string{p.Manifest.Name}, args...)...).
		WithEnv("PWD", place).WithStdout(&stdout).WithStderr(&stderr)
	ended, err := p.runtime.InstantiateModule(t.Context(), p.module, config)
	exit := 0
	if e, ok := errors.AsType[*sys.ExitError](err); ok {
		exit = int(e.ExitCode())
	} else if err != nil {
		t.Fatal(err)
	}
	if ended != nil {
		_ = ended.Close(context.WithoutCancel(t.Context()))
	}
	return Output{exit, stdout.String(), stderr.String()}
}

func (p *Plugin) runNative(t *testing.T, tree string, args []string) Output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), p.native, args...)
	command.Dir, command.Stdout, command.Stderr = tree, &stdout, &stderr
	err := command.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return Output{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
