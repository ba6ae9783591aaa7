package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/sdk/go/abi"
)

// leavesNoTemp fails if a half-written file is left beside p/a.py.
func (d *desk) leavesNoTemp() {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.root, "p"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			d.t.Errorf("%s is left", e.Name())
		}
	}
}

func TestSafeFixesAreAppliedUntilNoneIsLeft(t *testing.T) {
	d := newDesk(t)
	d.write("p/a.py", "bad, bad\nand bad\n")
	if err := os.Chmod(filepath.Join(d.root, "p/a.py"), 0o751); err != nil {
		t.Fatal(err)
	}
	if r := d.run(lint.Fix); r.Fault != nil || len(r.Diagnostics) > 0 {
		t.Errorf("left: %+v", r)
	}
	if got := d.read("p/a.py"); got != "good, good\nand good\n" {
		t.Errorf("got %q", got)
	}
	if info, err := os.Stat(filepath.Join(d.root, "p/a.py")); err != nil || info.Mode().Perm() != 0o751 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	d.leavesNoTemp()
}

func TestWhoKeepsAnswersLearnsOfWhatWasWritten(t *testing.T) {
	for _, formats := range []bool{true, false} {
		d := newDesk(t)
		d.Formats, d.Key, d.FixKey = formats, "", "" // its own answers are all that is kept
		d.run(lint.Fix)
		if d.wrote > 0 {
			t.Errorf("formats %t: wrote where there was nothing to mend", formats)
		}
		d.write("p/a.py", "bad\n")
		d.tool.look = func(file string) {
			if file == "p/a.py" && d.read(file) == "good\n" && d.wrote != 1 {
				t.Errorf("formats %t: asked about what was written, which was told %d times", formats, d.wrote)
			}
		}
		if r := d.run(lint.Fix); d.wrote != 1 || d.read("p/a.py") != "good\n" || len(r.Diagnostics) > 0 {
			t.Errorf("formats %t: told %d times, got %+v", formats, d.wrote, r)
		}
	}
}

func TestAFixIsByTheBytesThatWereSaid(t *testing.T) {
	d := newDesk(t)
	d.write("p/a.py", "fine\n")
	d.tool.more = []abi.Diagnostic{{File: "p/a.py", Severity: "error", Message: "x", Fixes: []abi.Fix{{Safe: true, Edits: []abi.Edit{{File: "p/a.py", End: 4, Text: "\xe9"}}}}}}
	d.run(lint.Do) // what it says may be kept
	d.tool.then = func(string) { d.tool.more = nil }
	d.run(lint.Fix)
	if got := d.read("p/a.py"); got != "\xe9\n" {
		t.Errorf("got %q", got)
	}
}

func TestFixesThatAreNotSafeAreLeft(t *testing.T) {
	d := newDesk(t)
	d.tool.more = []abi.Diagnostic{{File: "p/a.py", Severity: "error", Message: "x", Fixes: []abi.Fix{{Edits: []abi.Edit{{File: "p/a.py", Text: "new"}}}}}}
	if r := d.run(lint.Fix); len(r.Diagnostics) != 1 || d.read("p/a.py") != "fine\n" {
		t.Errorf("left: %+v, %q", r, d.read("p/a.py"))
	}
}

func TestAFormatterMendsAndWhatIsWellIsKnown(t *testing.T) {
	d := newDesk(t)
	d.Formats = true
	d.write("p/a.py", "bad\n")
	d.run(lint.Fix)
	if got, want := d.tool.asked(), "fix p/a.py p/dir/b.py; p/a.py p/dir/b.py"; got != want || d.read("p/a.py") != "good\n" {
		t.Errorf("asked for %q, want %q; made %q", got, want, d.read("p/a.py"))
	}
	d.run(lint.Fix)
	if got := d.tool.asked(); got != "fix p/a.py" {
		t.Errorf("asked for %q again", got)
	}
	d.run(lint.Fix)
	if got := d.tool.asked(); got != "" {
		t.Errorf("asked for %q a third time", got)
	}
}

func TestAFileThatChangesMeanwhileIsNotOverwritten(t *testing.T) {
	d := newDesk(t)
	d.Formats = true
	d.write("p/a.py", "bad\n")
	d.write("p/dir/b.py", "bad\n")
	d.tool.look = func(file string) {
		if file == "p/a.py" && d.read(file) == "bad\n" {
			d.write(file, "bad, and more\n")
		}
	}
	r := d.run(lint.Fix)
	if r.Fault == nil || r.Fault.Code != "lint.not_applied" || r.Fault.File != "p/a.py" {
		t.Errorf("got %+v", r.Fault)
	}
	if d.read("p/a.py") != "bad, and more\n" || d.read("p/dir/b.py") != "good\n" {
		t.Errorf("got %q and %q", d.read("p/a.py"), d.read("p/dir/b.py"))
	}
}

func TestALinkThatTookAFilesPlaceIsNotFollowed(t *testing.T) {
	d := newDesk(t)
	d.Formats = true
	outside := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(outside, []byte("bad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.write("p/a.py", "bad\n")
	d.tool.look = func(file string) {
		if file == "p/a.py" {
			_ = os.Remove(filepath.Join(d.root, file))
			_ = os.Symlink(outside, filepath.Join(d.root, file))
		}
	}
	r := d.run(lint.Fix)
	if text, err := os.ReadFile(outside); err != nil || string(text) != "bad\n" {
		t.Errorf("outside is %q, %v", text, err)
	}
	if r.Fault == nil || r.Fault.Code != "lint.not_applied" {
		t.Errorf("got %+v", r.Fault)
	}
}

func TestTwoFixesOfTheSameBytesComeOneAfterTheOther(t *testing.T) {
	d := newDesk(t)
	d.write("p/a.py", "bad\n")
	d.tool.more = []abi.Diagnostic{{File: "p/a.py", Severity: "error", Message: "x", Fixes: []abi.Fix{{Safe: true, Edits: []abi.Edit{{File: "p/a.py", Start: 1, End: 2, Text: "a"}}}}}}
	d.run(lint.Fix)
	if got := d.read("p/a.py"); got != "bad\n" { // the first one changes nothing, and stands in the way for ever
		t.Errorf("got %q", got)
	}
	d.tool.more, d.Key = nil, "2"
	d.run(lint.Fix)
	if got := d.read("p/a.py"); got != "good\n" {
		t.Errorf("got %q", got)
	}
}
