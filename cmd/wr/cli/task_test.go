package cli

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// tidy is a task with flags of all types, and texts that a parser could trip over.
var tidy = pluginTask{plugins: []string{"deps"}, Task: abi.Task{
	Name: "tidy", Help: `Says "hi" to ${HOME}, for $5, \n`, Args: "FILE...",
	Flags: []abi.Flag{
		{Name: "name", Type: abi.FlagString, Help: `A 'name' or "two": ${name}, $$, \, a:b c:"d"`, Default: `$X "y" \`},
		{Name: "mode", Type: abi.FlagString, Help: "How.", Choices: []string{"all", "none"}},
		{Name: "fix", Type: abi.FlagBool, Help: "Mend."},
		{Name: "safe", Type: abi.FlagBool, Help: "Only what is safe.", Default: "true"},
		{Name: "max", Type: abi.FlagInt, Help: "At most."},
		{Name: "min", Type: abi.FlagInt, Help: "At least.", Default: "-3"},
		{Name: "tag", Type: abi.FlagList, Help: "Tags."},
		{Name: "in", Type: abi.FlagList, Help: "Where.", Choices: []string{"a", "b"}, Default: "a"},
		{Name: "secret-token", Type: abi.FlagString, Help: "None of the environment."},
	},
}}

func TestFlagsOfATaskAreTyped(t *testing.T) {
	t.Setenv("WR_SECRET_TOKEN", "s3cret")
	t.Setenv("WR_MAX", "9")
	standard := map[string][]string{"name": {`$X "y" \`}, "safe": {"true"}, "min": {"-3"}, "in": {"a"}}
	for typed, more := range map[string]map[string][]string{
		"":                           {},
		"--name= --fix":              {"name": {""}, "fix": {"true"}},
		"--safe=false --fix=false":   {"safe": {"false"}, "fix": {"false"}},
		"--max 0 --min=-4":           {"max": {"0"}, "min": {"-4"}},
		"--tag a,b --tag c --in b":   {"tag": {"a,b", "c"}, "in": {"b"}},
		"--mode none --in a --in b":  {"mode": {"none"}, "in": {"a", "b"}},
		"--secret-token t --name -x": nil,
		"--max x":                    nil,
		"--mode some":                nil,
		"--in c":                     nil,
		"--nmae x":                   nil,
		"word":                       nil,
		"--max":                      nil,
		"--json":                     nil,
	} {
		flags, help, err := parseTask(tidy, strings.Fields(typed))
		if more == nil {
			if !fault.HasCode(err, "task.bad_argument") || fault.Of(err).Class != fault.Usage {
				t.Errorf("%s: got %v, %v", typed, flags, err)
			}
			continue
		}
		want := maps.Clone(standard)
		maps.Copy(want, more)
		if err != nil || help != "" {
			t.Errorf("%s: %q, %v", typed, help, err)
			continue
		}
		if diff := cmp.Diff(want, flags.given()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", typed, diff)
		}
	}
}

func TestTheHelpOfATaskIsWhatItsManifestSays(t *testing.T) {
	_, help, err := parseTask(tidy, []string{"--help"})
	if err != nil {
		t.Fatal(err)
	}
	help = strings.Join(strings.Fields(help), " ")
	for _, want := range []string{
		`Usage: wr run tidy [flags]`, `Says "hi" to ${HOME}, for $5, \n`, `A 'name' or "two": ${name}, $$, \, a:b c:"d"`, "How: all, none.", "--max=N At most.",
		"A task of the plugin deps", "What follows -- goes to it as it is (FILE...).",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("it does not say %q:\n%s", want, help)
		}
	}
	if strings.Contains(help, "WR_") {
		t.Errorf("flags of a plugin have variables:\n%s", help)
	}
}

func TestOnlyWordsThatMayBeTasksAreLookedUp(t *testing.T) {
	var g grammar
	parser, err := kong.New(&g, options()...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // where wr.lock cannot be read, so whoever looks fails
	lay(t, dir, map[string]string{"wr.toml": "[workspace]\n", "wr.lock": "no TOML"})
	for typed, want := range map[string]struct{ looked bool }{
		"": {}, "ls": {}, "test --help": {}, "-v test tidy": {}, "plugin ls": {}, "--version": {}, "run tidy": {},
		"tidy": {true}, "-v tidy --help": {true}, "tidy -r": {true},
	} {
		a := &app{Process: Process{LookupEnv: func(name string) (string, bool) {
			at, ok := map[string]string{"WR_DIRECTORY": dir}[name]
			return at, ok
		}}, own: ownWords(parser.Model)}
		_, err := a.tasksFor(t.Context(), strings.Fields(typed), parser.Model)
		if looked := err != nil; looked != want.looked {
			t.Errorf("%q: looked up: %v (%v)", typed, looked, err)
		}
	}
}

func TestWordsSayWhereWrWorks(t *testing.T) {
	a := &app{Process: Process{LookupEnv: func(string) (string, bool) { return "env", true }}}
	for typed, want := range map[string]string{
		"tidy": "env", "-C a tidy": "a", "-Ca tidy": "a", "--directory b tidy": "b", "tidy --directory=c": "c", "tidy -C": "",
	} {
		if got := a.directoryIn(strings.Fields(typed)); got != want {
			t.Errorf("%s: got %q, want %q", typed, got, want)
		}
	}
}

func TestOutsideOfAWorkspaceThereAreNoTasks(t *testing.T) {
	a := &app{Process: Process{LookupEnv: os.LookupEnv}}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if tasks, err := a.pluginTasks(context.Background(), dir, true); err != nil || len(tasks) > 0 {
			t.Errorf("got %v, %v", tasks, err)
		}
	}
	if names := taskNames([]pluginTask{tidy}); !slices.Equal(names, []string{"tidy"}) {
		t.Errorf("got %q", names)
	}
}
