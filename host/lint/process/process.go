// Package process runs a linter as a process in a container. The container has the
// workspace to read, no network, and nothing of what an earlier process wrote; what
// the command prints is read by package match.
//
// A command that mends files gets a copy of the project in place of the project. What
// it makes of the files that it was given is returned as edits; what else it writes
// is gone with the container.
package process

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// maxOutput is how much of each stream is read, in bytes. A linter that prints more
// is broken: what it said is not known.
const maxOutput = 64 << 20

// Linter is a linter of one project. It may be used by several goroutines.
type Linter struct {
	Name      string
	Project   string // its path
	Root      string // host path of the workspace
	Run, Fix  config.Command
	Match     *match.Matcher
	Runner    spec.Runner
	Container spec.Container // with the workspace at spec.Workspace, to be read
	Env       []string       // of the commands, over the container's
	File      string         // where the linter is configured
	Line      int
	// Ready makes what the container needs, before the first process.
	Ready func(ctx context.Context) error
	// Copy makes a copy of the project, a directory that the container's user may
	// write to, until remove is called.
	Copy func(ctx context.Context) (dir string, remove func() error, err error)
}

// Args are the words that start a command on files, given by their paths from the
// project. name is what a shell calls itself.
func Args(c config.Command, name string, files []string) []string {
	if len(c.Words) == 0 {
		return append([]string{"/bin/sh", "-c", strings.ReplaceAll(c.Line, config.Files, `"$@"`), name}, files...)
	}
	var all []string
	for _, word := range c.Words {
		if word == config.Files {
			all = append(all, files...)
		} else {
			all = append(all, word)
		}
	}
	return all
}

// TakesFiles reports whether a command says where files go.
func TakesFiles(c config.Command) bool {
	return strings.Contains(c.Line, config.Files) || slices.Contains(c.Words, config.Files)
}

// Lint runs the command that looks at files; it keeps nothing by itself.
func (l *Linter) Lint(ctx context.Context, files []string) (_ []abi.Diagnostic, kept int, err error) {
	out, err := l.run(ctx, l.Run, l.Container, files)
	if err != nil {
		return nil, 0, err
	}
	all, err := l.Match.Read(match.Output{
		Exit: out.exit.Code, Stdout: out.stdout, Stderr: out.stderr, File: l.about(files), Path: l.path,
		Source: func(file string) ([]byte, error) { return os.ReadFile(l.host(file)) },
	})
	if err != nil {
		return nil, 0, l.broken(out, err)
	}
	return all, 0, nil
}

// about is what output that names no file is about.
func (l *Linter) about(files []string) string {
	if len(files) == 1 {
		return files[0]
	}
	return l.Project
}

// Format runs the command that mends files on a copy.
func (l *Linter) Format(ctx context.Context, files []string) (_ []abi.Edit, err error) {
	dir, remove, err := l.Copy(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	before := map[string][]byte{}
	for _, file := range files {
		if before[file], err = os.ReadFile(filepath.Join(dir, l.inside(file))); err != nil {
			return nil, fmt.Errorf("copy %s: %w", file, err)
		}
	}
	c := l.Container
	c.Own = append(slices.Clone(c.Own), spec.Mount{Source: dir, Target: l.dir(), Owned: true})
	out, err := l.run(ctx, l.Fix, c, files)
	if err != nil {
		return nil, err
	}
	if code := out.exit.Code; !slices.Contains(slices.Concat(l.Match.Clean, l.Match.Found), code) {
		return nil, l.broken(out, fmt.Errorf("exited with %d, which is neither of clean %v nor of found %v", code, l.Match.Clean, l.Match.Found))
	}
	return l.edits(dir, files, before)
}

// edits are what differs between files and those in dir.
func (l *Linter) edits(dir string, files []string, before map[string][]byte) ([]abi.Edit, error) {
	root, err := os.OpenRoot(dir) // the command may have put links there
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var all []abi.Edit
	for _, file := range files {
		after, err := readFile(root, l.inside(file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &fault.Error{Code: "lint.removed", File: l.File, Line: l.Line, Message: fmt.Sprintf("the command of fix of %s has removed %s", l.Name, file), Next: "look what it does"}
		}
		if err != nil {
			return nil, err
		}
		if e, differs := difference(file, before[file], after); differs {
			all = append(all, e)
		}
	}
	return all, nil
}

func readFile(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s became no regular file", name)
	}
	return root.ReadFile(name)
}

// difference is the one edit that makes before what after is: of all between the
// first and the last byte that differ.
func difference(file string, before, after []byte) (e abi.Edit, differs bool) {
	if bytes.Equal(before, after) {
		return abi.Edit{}, false
	}
	most := min(len(before), len(after))
	head := 0
	for head < most && before[head] == after[head] {
		head++
	}
	tail := 0
	for tail < most-head && before[len(before)-1-tail] == after[len(after)-1-tail] {
		tail++
	}
	return abi.Edit{File: file, Start: int64(head), End: int64(len(before) - tail), Text: string(after[head : len(after)-tail])}, true
}

// output is how a process ended and what it printed.
type output struct {
	exit           spec.Exit
	stdout, stderr []byte
}

// run runs a command on files.
func (l *Linter) run(ctx context.Context, c config.Command, in spec.Container, files []string) (output, error) {
	if err := l.Ready(ctx); err != nil {
		return output{}, err
	}
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = l.argument(file)
	}
	var streams [2]*os.File
	for i := range streams {
		f, err := unnamed()
		if err != nil {
			return output{}, err
		}
		defer f.Close()
		streams[i] = f
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return output{}, err
	}
	defer nothing.Close()
	exit, err := l.Runner.Run(ctx, in, spec.Process{Args: Args(c, l.Name, names), Env: l.Env, Dir: l.dir()}, spec.Stdio{In: nothing, Out: streams[0], Err: streams[1]})
	if err != nil {
		return output{}, err
	}
	out := output{exit: exit}
	if out.stdout, err = l.printed(streams[0]); err == nil {
		out.stderr, err = l.printed(streams[1])
	}
	if exit.OOMKilled {
		err = spec.OutOfMemory(in)
	}
	return out, err
}

// unnamed is a file that is gone when it is closed.
func unnamed() (*os.File, error) {
	f, err := os.CreateTemp("", "wr-lint-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

// printed is what was written to f.
func (l *Linter) printed(f *os.File) ([]byte, error) {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxOutput+1))
	if err == nil && len(text) > maxOutput {
		err = &fault.Error{Code: "lint.output", File: l.File, Line: l.Line, Message: fmt.Sprintf("%s printed more than %d MiB", l.Name, maxOutput>>20), Next: "have it look at fewer files, or print less"}
	}
	return text, err
}

// dir is the container path of the project.
func (l *Linter) dir() string { return path.Join(spec.Workspace, l.Project) }

func (l *Linter) host(file string) string { return filepath.Join(l.Root, filepath.FromSlash(file)) }

// inside is a workspace path from the project.
func (l *Linter) inside(file string) string {
	if l.Project == "." {
		return file
	}
	return strings.TrimPrefix(file, l.Project+"/")
}

// argument is a file as the command gets it: never what looks like an option.
func (l *Linter) argument(file string) string {
	if name := l.inside(file); !strings.HasPrefix(name, "-") {
		return name
	}
	return "./" + l.inside(file)
}

// path is the workspace path of a file as the command calls it.
func (l *Linter) path(name string) (string, bool) {
	if !path.IsAbs(name) {
		name = path.Join(l.dir(), name)
	}
	file, below := strings.CutPrefix(path.Clean(name), spec.Workspace+"/")
	return file, below
}

// broken is the fault of a command that did not do what it was to do.
func (l *Linter) broken(out output, why error) error {
	f := &fault.Error{
		Code: "lint.broken", File: l.File, Line: l.Line, Err: why,
		Message: fmt.Sprintf("%s did not work on %s: %v", l.Name, l.Project, why),
		Details: match.Tail(cmp.Or(strings.TrimSpace(string(out.stderr)), strings.TrimSpace(string(out.stdout)))),
		Next:    "see what its command does in the container of " + cmp.Or(l.Container.Labels["wr.project"], l.Project) + ", or whether output says how to read it",
	}
	if out.exit.Code == 126 || out.exit.Code == 127 {
		f.Code = "lint.not_found"
		f.Message = fmt.Sprintf("%s could not be started on %s: the container has no such program", l.Name, l.Project)
		f.Next = "add it to the image, or name another project's container with container = \"...\""
	}
	if s := out.exit.Suspect; s != nil {
		f.Details += "\n" + s.Message
	}
	return f
}
