package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/host/lint/process"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/spec/spectest"
	"github.com/wr-build/wr/sdk/go/abi"
)

// container is a linter of the project p in a container where do is the process.
type container struct {
	process.Linter
	runner spectest.Runner
	copied string // where the project was copied to
	left   bool   // and is no more
}

func newContainer(t *testing.T, m abi.Matcher, do func(c spec.Container, p spec.Process, io spec.Stdio) (spec.Exit, error)) *container {
	t.Helper()
	matcher, err := match.New(m)
	if err != nil {
		t.Fatal(err)
	}
	c := &container{}
	c.runner.OnRun = func(_ context.Context, in spec.Container, p spec.Process, io spec.Stdio) (spec.Exit, error) {
		return do(in, p, io)
	}
	c.Linter = process.Linter{
		Name: "tool", Project: "p", Root: t.TempDir(), Run: config.Command{Line: "tool {files}"}, Fix: config.Command{Words: []string{"tool", "--fix", "{files}"}},
		Match: matcher, Runner: &c.runner, File: "p/wr.toml", Line: 7, Ready: func(context.Context) error { return nil },
		Container: spec.Container{Image: "i", Mounts: []spec.Mount{{Source: "/ws", Target: "/app", ReadOnly: true}}},
		Copy: func(context.Context) (string, func() error, error) {
			c.copied = t.TempDir()
			err := os.WriteFile(filepath.Join(c.copied, "a.py"), []byte("one\ntwo\nthree\n"), 0o600)
			return c.copied, func() error { c.left = true; return nil }, err
		},
	}
	return c
}

func TestFilesAreArgumentsAndNoOptions(t *testing.T) {
	files := []string{"a b.py", "$(x)"}
	for want, c := range map[string]config.Command{
		`/bin/sh|-c|x "$@" | y "$@"|tool|a b.py|$(x)`: {Line: "x {files} | y {files}"},
		"x|-q|a b.py|$(x)|--end":                      {Words: []string{"x", "-q", "{files}", "--end"}},
	} {
		if got := strings.Join(process.Args(c, "tool", files), "|"); got != want || !process.TakesFiles(c) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if process.TakesFiles(config.Command{Words: []string{"x{files}"}}) {
		t.Error("a part of a word is no place for files")
	}
	c := newContainer(t, abi.Matcher{}, func(spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) { return spec.Exit{}, nil })
	if _, _, err := c.Lint(t.Context(), []string{"p/-rf", "p/sub/a.py"}); err != nil {
		t.Fatal(err)
	}
	c.Env = []string{"PYTHONPATH=/app/p"}
	if _, _, err := c.Lint(t.Context(), nil); err != nil || !slices.Equal(c.runner.Runs()[1].Process.Env, c.Env) {
		t.Errorf("with %q, %v", c.runner.Runs()[1].Process.Env, err)
	}
	if got := c.runner.Runs()[0].Process; !slices.Equal(got.Args[3:], []string{"tool", "./-rf", "sub/a.py"}) || got.Dir != "/app/p" {
		t.Errorf("got %+v", got)
	}
}

func TestWhatACommandPrintsIsRead(t *testing.T) {
	c := newContainer(t, abi.Matcher{Format: match.List, Message: "odd"}, func(_ spec.Container, _ spec.Process, io spec.Stdio) (spec.Exit, error) {
		_, err := io.Out.WriteString("a.py\n/app/q/b.py\n../q/c.py\n/etc/passwd\n")
		return spec.Exit{Code: 1}, err
	})
	all, _, err := c.Lint(t.Context(), []string{"p/a.py"})
	var got []string
	for _, d := range all {
		got = append(got, d.File+" "+d.Message)
	}
	if want := []string{"p/a.py odd", "q/b.py odd", "q/c.py odd", " /etc/passwd: odd"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestACommandThatDidNotWorkSaysWhatItSaid(t *testing.T) {
	for code, want := range map[int]string{2: "lint.broken", 127: "lint.not_found"} {
		c := newContainer(t, abi.Matcher{}, func(_ spec.Container, _ spec.Process, io spec.Stdio) (spec.Exit, error) {
			_, err := io.Err.WriteString("no such option\n")
			return spec.Exit{Code: code}, err
		})
		for _, do := range []func() error{
			func() error { _, _, err := c.Lint(t.Context(), []string{"p/a.py"}); return err },
			func() error { _, err := c.Format(t.Context(), []string{"p/a.py"}); return err },
		} {
			f := fault.Of(do())
			if f.Code != want || f.File != "p/wr.toml" || f.Line != 7 || f.Details != "no such option" {
				t.Errorf("%d: got %+v", code, f)
			}
		}
		if !c.left {
			t.Error("the copy is left")
		}
	}
	c := newContainer(t, abi.Matcher{}, func(spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
		return spec.Exit{Code: 1, OOMKilled: true}, nil
	})
	if _, _, err := c.Lint(t.Context(), []string{"p/a.py"}); !fault.HasCode(err, spec.LimitMemory) {
		t.Errorf("out of memory: %v", err)
	}
	c.Ready = func(context.Context) error { return errors.New("no image") }
	if _, _, err := c.Lint(t.Context(), []string{"p/a.py"}); err == nil || err.Error() != "no image" || len(c.runner.Runs()) != 1 {
		t.Errorf("without an image: %v", err)
	}
}

func TestWhatAFixMakesOfACopyIsAnEdit(t *testing.T) {
	var c *container
	c = newContainer(t, abi.Matcher{}, func(in spec.Container, p spec.Process, _ spec.Stdio) (spec.Exit, error) {
		want := []spec.Mount{{Source: c.copied, Target: "/app/p", Owned: true}}
		if diff := cmp.Diff(want, in.Own); diff != "" || !slices.Equal(p.Args, []string{"tool", "--fix", "a.py"}) {
			t.Errorf("%q in a container with %s", p.Args, diff)
		}
		return spec.Exit{Code: 1}, errors.Join(
			os.WriteFile(filepath.Join(c.copied, "a.py"), []byte("one\n2\nthree\n"), 0o600),
			os.WriteFile(filepath.Join(c.copied, "other.py"), []byte("x"), 0o600),
		)
	})
	edits, err := c.Format(t.Context(), []string{"p/a.py"})
	want := []abi.Edit{{File: "p/a.py", Start: 4, End: 7, Text: "2"}}
	if diff := cmp.Diff(want, edits); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if len(c.Container.Own) > 0 || !c.left {
		t.Error("the copy is left")
	}
}

func TestAFixThatRemovesAFileOrPutsALinkThereIsRefused(t *testing.T) {
	for name, replace := range map[string]func(file string) error{
		"removes": func(string) error { return nil },
		"links":   func(file string) error { return os.Symlink("/etc/passwd", file) },
	} {
		var c *container
		c = newContainer(t, abi.Matcher{}, func(spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
			file := filepath.Join(c.copied, "a.py")
			return spec.Exit{}, errors.Join(os.Remove(file), replace(file))
		})
		if edits, err := c.Format(t.Context(), []string{"p/a.py"}); err == nil {
			t.Errorf("%s: got %+v", name, edits)
		}
	}
}
