package plugintest

import (
	"bytes"
	"errors"
	"os/exec"
	"path"
	"path/filepath"
	"testing"
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
	return run(t, p.instance(t.Context(), t, tree, expand(args, p.place(), names)...)),
		run(t, p.program(t.Context(), t, tree, expand(args, tree, names)...))
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

func run(t *testing.T, command *exec.Cmd) Output {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return Output{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}
