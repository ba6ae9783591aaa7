package hook_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// newToolBench is a workspace with a tool that behaves as mode says.
func newToolBench(t *testing.T, mode string) *bench {
	t.Helper()
	b := newBench(t)
	b.config.Process.Module, b.config.Process.Digest = filepath.Join(built.dir, "tool"), built.sums["tool"]
	b.config.Grants = grants{"fs.read:**/*.txt", "fs.read:**/.toolrc"}
	b.config.Manifest = abi.Manifest{
		Name: "tool", Version: "1.0.0", Kind: abi.KindTool,
		Provides: abi.Provides{Lint: &abi.Files{}, Format: &abi.Files{}},
		Tool: &abi.Tool{
			Args: []string{mode, "{files}"}, FixArgs: []string{"diff", "{files}"},
			Output:  abi.Matcher{Format: "list", Rule: "word", Message: "has the word"},
			Failure: &abi.Matcher{Format: "regex", Stream: "stderr", Pattern: `^(?P<file>[^:]+):(?P<line>\d+): (?P<message>.+)$`, Rule: "syntax"},
		},
	}
	return b
}

func (b *bench) linter(t *testing.T) hook.Linter {
	t.Helper()
	return hook.Linter{Plugin: b.plugin(t), Project: "."}
}

// asleep is a linter whose process cannot be started: it has what is kept, or nothing.
func (b *bench) asleep(t *testing.T) hook.Linter {
	t.Helper()
	c := b.config
	c.Process.Program = "/nonexistent"
	p, err := hook.New(c)
	must(t, err)
	return hook.Linter{Plugin: p, Project: "."}
}

func word(file string) abi.Diagnostic {
	return abi.Diagnostic{File: file, Severity: abi.SeverityError, Rule: "word", Message: "has the word"}
}

func syntax(file string, line int) abi.Diagnostic {
	return abi.Diagnostic{
		File: file, Severity: abi.SeverityError, Rule: "syntax", Message: "in " + file + " something is wrong",
		Range: abi.Range{Start: abi.Position{Line: line}},
	}
}

// says fails the test unless the linter says just that.
func says(t *testing.T, l hook.Linter, files []string, want ...abi.Diagnostic) {
	t.Helper()
	got, _, err := l.Lint(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]abi.Diagnostic{}, want...), got); diff != "" {
		t.Errorf("want, got:\n%s", diff)
	}
}

func TestAToolSaysWhatItFindsAndWhatItCannotRead(t *testing.T) {
	for _, root := range []string{"", "/src", "/"} {
		t.Run("at "+root, func(t *testing.T) {
			b := newToolBench(t, "list")
			b.config.Manifest.Tool.Root = root
			b.write(t, "a.txt", "well\n")
			b.write(t, "b.txt", "TODO\n")
			b.write(t, "d e/c.txt", "TODO\n")
			b.write(t, "d e/s.txt", "TODO\nSYNTAX\n")
			l := b.linter(t)
			says(t, l, []string{"a.txt"})
			broken := syntax("d e/s.txt", 2)
			if root == "/" {
				broken.Message = "in /d e/s.txt something is wrong" // which is how a path may as well begin
			}
			says(t, l, []string{"a.txt", "b.txt", "d e/c.txt", "d e/s.txt"}, broken, word("b.txt"), word("d e/c.txt"))
		})
	}
}

func TestAToolIsNotRunWhereAllIsAsItWas(t *testing.T) {
	b := newToolBench(t, "list")
	kept := b.remember(t)
	b.write(t, "d/a.txt", "TODO\n")
	all := []string{"d/a.txt"}
	says(t, b.linter(t), all, word("d/a.txt"))
	says(t, b.asleep(t), all, word("d/a.txt"))
	b.write(t, "d/b.txt", "well\n")
	if said, kept, err := b.linter(t).Lint(t.Context(), []string{"d/a.txt", "d/b.txt"}); len(said) != 1 || kept != 1 || err != nil {
		t.Errorf("of two files, one of them new, %d are said to be kept: %v, %v", kept, said, err)
	}

	// What it looked for in vain counts, and so does what it found then.
	for _, change := range []struct {
		file, text string
		want       []abi.Diagnostic
	}{
		{".toolrc", "XXX", nil},
		{"d/.toolrc", "TODO", []abi.Diagnostic{word("d/a.txt")}},
		{"d/a.txt", "well\n", nil},
	} {
		b.write(t, change.file, change.text)
		kept.Forget()
		if got, _, err := b.asleep(t).Lint(t.Context(), all); err == nil {
			t.Errorf("%s changed, and the tool was not run: %v", change.file, got)
		}
		says(t, b.linter(t), all, change.want...)
		says(t, b.asleep(t), all, change.want...)
	}

	// How it is called counts too, and what is read of what it says.
	for name, change := range map[string]func(*abi.Tool){
		"args":    func(t *abi.Tool) { t.Args = []string{"diff", "{files}"} },
		"root":    func(t *abi.Tool) { t.Root = "/" },
		"matcher": func(t *abi.Tool) { t.Output.Message = "other" },
	} {
		other, tool := *b, *b.config.Manifest.Tool
		change(&tool)
		other.config.Manifest.Tool = &tool
		if got, _, err := other.asleep(t).Lint(t.Context(), all); err == nil {
			t.Errorf("another %s: the tool was not run: %v", name, got)
		}
	}
}

func TestAToolIsRunForTheFilesThatChanged(t *testing.T) {
	b := newToolBench(t, "list")
	kept := b.remember(t)
	b.write(t, "a.txt", "TODO\n")
	b.write(t, "b.txt", "well\n")
	b.write(t, "s.txt", "SYNTAX\n")
	says(t, b.linter(t), []string{"a.txt", "b.txt", "s.txt"}, syntax("s.txt", 1), word("a.txt"))
	for _, call := range []struct { // however they come the next time
		files []string
		want  []abi.Diagnostic
	}{
		{[]string{"b.txt"}, nil},
		{[]string{"a.txt", "b.txt"}, []abi.Diagnostic{word("a.txt")}},
		{[]string{"a.txt", "s.txt"}, []abi.Diagnostic{word("a.txt"), syntax("s.txt", 1)}},
	} {
		says(t, b.asleep(t), call.files, call.want...)
	}
	b.write(t, "b.txt", "TODO\n")
	kept.Forget()
	says(t, b.asleep(t), []string{"a.txt", "s.txt"}, word("a.txt"), syntax("s.txt", 1))
	if got, _, err := b.asleep(t).Lint(t.Context(), []string{"a.txt", "b.txt"}); err == nil {
		t.Errorf("b.txt changed, and the tool was not run: %v", got)
	}
	says(t, b.linter(t), []string{"a.txt", "b.txt"}, word("a.txt"), word("b.txt"))

	// The same holds for what mends them.
	l := b.linter(t)
	want, err := l.Format(t.Context(), []string{"a.txt", "b.txt"})
	must(t, err)
	got, err := b.asleep(t).Format(t.Context(), []string{"b.txt"})
	if len(want) != 2 || err != nil || !slices.Equal(got, want[1:]) {
		t.Errorf("got %v, %v, want the last of %v", got, err, want)
	}
}

func TestAToolThatJudgesFilesTogetherIsRunForAll(t *testing.T) {
	b := newToolBench(t, "list")
	b.config.Manifest.Provides.Lint.Whole = true
	kept := b.remember(t)
	b.write(t, "a.txt", "TODO\n")
	b.write(t, "b.txt", "well\n")
	all := []string{"a.txt", "b.txt"}
	says(t, b.linter(t), all, word("a.txt"))
	says(t, b.asleep(t), all, word("a.txt"))
	if got, _, err := b.asleep(t).Lint(t.Context(), all[:1]); err == nil {
		t.Errorf("other files, and the tool was not run: %v", got)
	}
	b.write(t, "b.txt", "TODO\n")
	kept.Forget()
	says(t, b.linter(t), all, word("a.txt"), word("b.txt"))
}

func TestAToolDoesNotSeeWhatIsNotGranted(t *testing.T) {
	b := newToolBench(t, "list")
	b.config.Grants = grants{"fs.read:**/*.txt"}
	b.write(t, ".toolrc", "XXX")
	b.write(t, "a.txt", "TODO\n")
	says(t, b.linter(t), []string{"a.txt"}, word("a.txt"))
}

func TestADiffOfAToolMends(t *testing.T) {
	b := newToolBench(t, "list")
	b.write(t, "a.txt", "well\nTODO a\nwell\nTODO b\n")
	b.write(t, "b.txt", "SYNTAX\n")
	l := b.linter(t)
	got, err := l.Format(t.Context(), []string{"a.txt", "b.txt"})
	want := []abi.Edit{{File: "a.txt", Start: 5, End: 12, Text: "DONE a\n"}, {File: "a.txt", Start: 17, End: 24, Text: "DONE b\n"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, want, got:\n%s", err, diff)
	}
}

func TestADiffMendsWhatIsNoUTF8(t *testing.T) {
	b := newToolBench(t, "list")
	b.remember(t)
	b.write(t, "a.txt", "TODO \xe9\n")
	l := b.linter(t)
	want := []abi.Edit{{File: "a.txt", Start: 0, End: 7, Text: "DONE \xe9\n"}}
	for range 2 {
		got, err := l.Format(t.Context(), []string{"a.txt"})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestAToolWithOneWayToBeCalled(t *testing.T) {
	mended := []abi.Edit{{File: "a.txt", Start: 0, End: 5, Text: "DONE\n"}}
	shown := word("a.txt")
	shown.Range = abi.Range{Start: abi.Position{Line: 1, Column: 1}, End: abi.Position{Line: 1, Column: 5}}
	shown.Fixes = []abi.Fix{{Title: "format", Safe: true, Edits: mended}}
	for name, change := range map[string]func(*abi.Manifest){
		"its output is a diff": func(m *abi.Manifest) { m.Tool.Args, m.Tool.FixArgs, m.Tool.Output.Format = m.Tool.FixArgs, nil, "diff" },
		"it only formats":      func(m *abi.Manifest) { m.Tool.Args, m.Provides.Lint = nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			b := newToolBench(t, "list")
			change(&b.config.Manifest)
			b.write(t, "a.txt", "TODO\n")
			b.write(t, "s.txt", "SYNTAX\n")
			l := b.linter(t)
			says(t, l, []string{"a.txt", "s.txt"}, syntax("s.txt", 1), shown)
			got, err := l.Format(t.Context(), []string{"a.txt"})
			if diff := cmp.Diff(mended, got); err != nil || diff != "" {
				t.Errorf("%v, want, got:\n%s", err, diff)
			}
		})
	}
}

func TestAToolThatNamesNoFilesIsCalledForEach(t *testing.T) {
	b := newToolBench(t, "one")
	b.config.Manifest.Tool.Failure = nil
	b.config.Manifest.Tool.Output.Format = "exit"
	b.write(t, "a.txt", "TODO\n")
	b.write(t, "b.txt", "well\n")
	b.write(t, "c.txt", "TODO\n")
	l := b.linter(t)
	if !l.Plugin.Single() || newToolBench(t, "list").plugin(t).Single() {
		t.Error("a list is not taken for what names files, or an exit code is")
	}
	a, c := word("a.txt"), word("c.txt")
	a.Message, c.Message = "a.txt", "c.txt" // what it printed
	says(t, l, []string{"a.txt", "b.txt", "c.txt"}, a, c)
}

func TestWhatAToolPassedOverIsNotClean(t *testing.T) {
	b := newToolBench(t, "list")
	b.write(t, "a.txt", "TODO\n")
	// It fails on the second, which it says only in words that nobody reads.
	_, _, err := b.linter(t).Lint(t.Context(), []string{"a.txt", "gone.txt"})
	if !fault.HasCode(err, hook.CodeFailed) || !strings.Contains(fault.Of(err).Details, "gone.txt: No such file") {
		t.Errorf("got %+v", fault.Of(err))
	}
	// Alone it turns out what it thinks of each.
	b = newToolBench(t, "lazy")
	says(t, b.linter(t), []string{"a.txt", "b.txt", "c.txt"}, word("a.txt"), word("b.txt"), word("c.txt"))
}

func TestAToolThatGoesWrongSaysNothing(t *testing.T) {
	tests := map[string]struct {
		mode, code, message, details string
	}{
		"a file that it was not asked about": {"other", hook.CodeProtocol, `plugin tool: it says something of "other.txt", about which it was not asked`, ""},
		"a file that is none of ours":        {"outside", hook.CodeProtocol, "plugin tool: it says something of what is no file here: /etc/passwd: has the word", ""},
		"an exit code that nobody named":     {"3", hook.CodeFailed, "plugin tool: it did not work: exited with 3, which is none of clean [0], found [1] and failure [1]", "so long"},
		"nothing said of what it found":      {"silent", hook.CodeFailed, "exited with 1, which means that something was found", ""},
		"an endless loop":                    {"loop", sandbox.CodeTimeout, "plugin tool took longer than it may and was stopped", ""},
		"a flood":                            {"flood", hook.CodeLimit, "plugin tool: it ran into its limit of output", ""},
		"a flood of words":                   {"log", hook.CodeLimit, "plugin tool: it ran into its limit of log", ""},
		"a file passed over for a limit":     {"careless", hook.CodeLimit, "plugin tool: it ran into its limit of open", ""},
		"a panic":                            {"panic", hook.CodeFailed, "exited with 2", "panic: no more"},
		"a world of its own":                 {"world", hook.CodeFailed, "exited with 9", "[PWD=/src] [tool world a.txt b.txt]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := newToolBench(t, tt.mode)
			kept := b.remember(t)
			if tt.mode == "loop" {
				b.config.Time = 2 * time.Second
			}
			if tt.mode == "careless" {
				b.config.View.Limits.Open = 1 // which is its root
			}
			b.write(t, "a.txt", "TODO\n")
			b.write(t, "b.txt", "TODO\n")
			l := b.linter(t)
			for range 2 { // what went wrong is not kept, and the next call is a new one
				said, _, err := l.Lint(t.Context(), []string{"a.txt", "b.txt"})
				f, ok := errors.AsType[*fault.Error](err)
				if !ok || len(said) > 0 || f.Code != tt.code || !strings.Contains(f.Message, tt.message) || !strings.Contains(f.Details, tt.details) || f.Next == "" {
					t.Errorf("got %v, %+v (%v)", said, f, err)
				}
				kept.Forget()
			}
		})
	}
}

func TestWordsThatNobodyReadsAreNoFault(t *testing.T) {
	b := newToolBench(t, "log")
	b.config.Manifest.Tool.Failure = nil
	b.write(t, "a.txt", "TODO\n")
	says(t, b.linter(t), []string{"a.txt"})
}

func TestADiffThatLiesMendsNothing(t *testing.T) {
	for name, tt := range map[string]struct{ mode, code, message string }{
		"of what is not there":   {"wrong", hook.CodeFailed, "the diff of a.txt does not fit the file at line 1"},
		"of the same line twice": {"twice", hook.CodeProtocol, "wants to edit the bytes from 0 to 5 of a.txt twice"},
		"of another file":        {"diffother", hook.CodeFailed, `there is a diff of "/src/other.txt", which is no file here`},
		"that is none":           {"lazy", hook.CodeFailed, "its stdout says nothing that could be read as diff"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newToolBench(t, "list")
			b.config.Manifest.Tool.FixArgs[0] = tt.mode
			b.write(t, "a.txt", "TODO\n")
			b.write(t, "other.txt", "TODO\n")
			edits, err := b.linter(t).Format(t.Context(), []string{"a.txt"})
			if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != tt.code || !strings.Contains(f.Message, tt.message) {
				t.Errorf("got %v, %v", edits, err)
			}
		})
	}
}

func TestCallsOfAToolRunBesideOneAnother(t *testing.T) {
	b := newToolBench(t, "list")
	b.write(t, "a.txt", "TODO\n")
	b.config.Process.Limits.Instances = 3
	l := b.linter(t)
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() { says(t, l, []string{"a.txt"}, word("a.txt")) })
	}
	group.Wait()
}

func TestAToolThatIsStoppedTakesNoCallWithIt(t *testing.T) {
	b := newToolBench(t, "list")
	b.config.Time = 3 * time.Second
	b.config.Process.Limits.Instances = 2
	b.config.Manifest.Tool.FixArgs[0] = "loop"
	var said atomic.Int32
	begun := make(chan struct{})
	b.config.Log = func([]byte) {
		// Why not at the first: if its time ended with that of others, it could be they
		// who are blamed.
		if said.Add(1) == 10 {
			close(begun)
		}
	}
	b.write(t, "a.txt", "TODO\n")
	l := b.linter(t)
	loops := make(chan error, 1)
	go func() {
		_, err := l.Format(t.Context(), []string{"a.txt"})
		loops <- err
	}()
	for wait := begun; ; wait = nil {
		select {
		case <-wait:
		case err := <-loops:
			if !fault.HasCode(err, sandbox.CodeTimeout) {
				t.Errorf("got %v, want %s", err, sandbox.CodeTimeout)
			}
			return
		}
		for len(loops) == 0 {
			says(t, l, []string{"a.txt"}, word("a.txt"))
		}
	}
}

func TestAManifestThatSaysNoWayToReadIsRefused(t *testing.T) {
	b := newToolBench(t, "list")
	b.config.Manifest.Tool.Output.Format = "prose"
	if _, err := hook.New(b.config); err == nil || !strings.Contains(err.Error(), "prepare plugin tool") {
		t.Errorf("got %v", err)
	}
	b.config.Manifest.Tool = nil
	if _, err := hook.New(b.config); err == nil {
		t.Error("a tool without a way to be called was taken")
	}
}

func TestNothingIsWrittenByATool(t *testing.T) {
	b := newToolBench(t, "list")
	b.write(t, "a.txt", "TODO\n")
	_, err := b.linter(t).Format(t.Context(), []string{"a.txt"})
	must(t, err)
	entries, err := os.ReadDir(b.root)
	must(t, err)
	text, err := os.ReadFile(filepath.Join(b.root, "a.txt"))
	must(t, err)
	if string(text) != "TODO\n" || !slices.EqualFunc(entries, []string{"a.txt"}, func(e os.DirEntry, name string) bool { return e.Name() == name }) {
		t.Errorf("got %q, %v", text, entries)
	}
}

func TestADiffOfAFileThatChangedMeanwhileMendsNothing(t *testing.T) {
	b := newToolBench(t, "list")
	kept := b.remember(t)
	b.write(t, "a.txt", "TODO\n")
	b.write(t, "s.txt", "SYNTAX\n")
	b.config.Log = func([]byte) { b.write(t, "a.txt", "TODO too\n") } // the tool has read it
	l := b.linter(t)
	for range 2 {
		edits, err := l.Format(t.Context(), []string{"a.txt", "s.txt"})
		if err == nil || !strings.Contains(err.Error(), "a.txt was changed meanwhile") {
			t.Fatalf("got %v, %v", edits, err)
		}
		kept.Forget()
		b.write(t, "a.txt", "TODO\n")
	}
}
