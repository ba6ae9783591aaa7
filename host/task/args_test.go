package task_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// calls is a project whose tasks take arguments.
const calls = `
-- wr.toml --
[workspace]
[project]
[tasks.plain]
run = "echo plain"
[tasks.own]
run = 'for word in "$@"; do echo "$word"; done'
[tasks.words]
run = ["serve", "--port=${port}", "${verbose}", "${mode}"]
env = { B = "2", A = "1" }
args = [
  { name = "port", type = "int", default = 8000, help = "Where." },
  { name = "verbose", type = "bool" },
  { name = "mode", type = "choice", choices = ["fast", "slow"], help = "How." },
]
[tasks.picky]
run = "alembic upgrade ${revision}"
help = "Upgrade."
needs = ["build"]
args = [
  { name = "revision", required = true, help = "Which." },
  { name = "steps", type = "int", required = true },
  { name = "dry_run", type = "bool" },
]
`

func call(t *testing.T, name string, typed, rest []string) (task.Call, error) {
	t.Helper()
	ws := load(t, calls)
	found, err := task.Find(ws, project(t, ws, "."), name)
	if err != nil {
		t.Fatal(err)
	}
	return found.Parse(typed, rest)
}

func TestACallSaysWhatToStart(t *testing.T) {
	for name, tt := range map[string]struct {
		task        string
		typed, rest []string
		args, env   []string
	}{
		"a line is for a shell": {
			"plain", nil, nil, []string{"/bin/sh", "-c", "echo plain", "plain"}, nil,
		},
		"words go to the end of a line": {
			"plain", []string{"-q", "a b"}, []string{"--", "c"}, []string{"/bin/sh", "-c", `echo plain "$@"`, "plain", "-q", "a b", "--", "c"}, nil,
		},
		"a line may say where they go": {
			"own", []string{"a"}, nil, []string{"/bin/sh", "-c", `for word in "$@"; do echo "$word"; done`, "own", "a"}, nil,
		},
		"words see no shell, and what has no value is left out": {
			"words", nil, nil, []string{"serve", "--port=8000"}, []string{"A=1", "B=2", "port=8000", "verbose=", "mode="},
		},
		"flags have values": {
			"words",
			[]string{"--port", "1", "--verbose", "--mode=slow"},
			[]string{"-x", "${port}"},
			[]string{"serve", "--port=1", "true", "slow", "-x", "${port}"},
			[]string{"A=1", "B=2", "port=1", "verbose=true", "mode=slow"},
		},
		"false is empty": {
			"words", []string{"--verbose=false"}, nil, []string{"serve", "--port=8000"}, []string{"A=1", "B=2", "port=8000", "verbose=", "mode="},
		},
		"what is required is a word, anywhere among flags": {
			"picky",
			[]string{"head; rm", "--dry-run", "3"},
			nil,
			[]string{"/bin/sh", "-c", "alembic upgrade ${revision}", "picky"},
			[]string{"revision=head; rm", "steps=3", "dry_run=true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := call(t, tt.task, tt.typed, tt.rest)
			if err != nil {
				t.Fatal(err)
			}
			p := c.Process()
			if !slices.Equal(p.Args, tt.args) || !slices.Equal(p.Env, tt.env) {
				t.Errorf("got %q with %q, want %q with %q", p.Args, p.Env, tt.args, tt.env)
			}
		})
	}
}

func TestAWrongArgumentIsNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		task  string
		typed []string
		want  string
	}{
		"an unknown flag":       {"words", []string{"--prot", "1"}, "did you mean --port?"},
		"a number that is none": {"words", []string{"--port", "http"}, `"http" is not a whole number`},
		"no such choice":        {"words", []string{"--mode", "medium"}, `"medium" is not one of fast, slow`},
		"a word too many":       {"words", []string{"fast"}, `"fast" is one word too many`},
		"a missing word":        {"picky", []string{"head"}, "steps is missing"},
		"a wrong word":          {"picky", []string{"head", "two"}, `steps: "two" is not a whole number`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := call(t, tt.task, tt.typed, nil)
			if f := fault.Of(err); f == nil || f.Code != "task.bad_argument" || f.Class != fault.Usage || f.Line == 0 || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s with a line", err, tt.want)
			}
		})
	}
}

func TestHelpNamesEveryArgument(t *testing.T) {
	c, err := call(t, "picky", []string{"--help"}, nil)
	if !errors.Is(err, task.ErrHelp) {
		t.Fatalf("got %v, want ErrHelp", err)
	}
	for _, want := range []string{"wr run .:picky <revision> <steps>", "Upgrade.", "Which.", "--dry-run", "First: build"} {
		if !strings.Contains(c.Help(), want) {
			t.Errorf("no %q in:\n%s", want, c.Help())
		}
	}
	c, err = call(t, "words", []string{"--help"}, nil)
	if !errors.Is(err, task.ErrHelp) || !strings.Contains(c.Help(), "Where. (default 8000)") || !strings.Contains(c.Help(), "One of fast, slow.") {
		t.Errorf("got %v and:\n%s", err, c.Help())
	}
}
