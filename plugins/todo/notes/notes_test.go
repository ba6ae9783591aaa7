package notes_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/plugins/todo/notes"
)

var tree = fstest.MapFS{
	"p/a.py":         {Data: []byte("x = 1\ny = 2  # TODO: sum\nTODOS = 3\n# FIXME\n")},
	"p/b.py":         {Data: []byte("# MY_TODO\n# TODO(ann): last")},
	"docs/todo/p.md": {Data: []byte("TODO in its own page\n")},
	"q/a.py":         {Data: []byte("# TODO: elsewhere\n")},
}

func TestNotesAreWordsByThemselves(t *testing.T) {
	found, err := notes.Find(tree, "p", []string{"TODO", "FIXME"})
	want := notes.Notes{
		{"p/a.py", 2, 10, "TODO", "sum"}, {"p/a.py", 4, 3, "FIXME", ""}, {"p/b.py", 2, 3, "TODO", "(ann): last"},
	}
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	for _, words := range [][]string{nil, {""}, {"todo"}} {
		if found, err := notes.Find(tree, "p", words); err != nil || len(found) > 0 {
			t.Errorf("%q: got %v, %v", words, found, err)
		}
	}
	if found, err := notes.Find(tree, ".", []string{"TODO"}); err != nil || len(found) != 3 {
		t.Errorf("in all projects: got %v, %v", found, err)
	}
	if got := notes.Page("."); got != "docs/todo/root.md" || notes.Page("a/b") != "docs/todo/a/b.md" {
		t.Errorf("got %s", got)
	}
	if _, err := notes.Find(tree, "missing", nil); err == nil {
		t.Error("what is not there is looked through")
	}
}

func TestNotesAreListed(t *testing.T) {
	found := notes.Notes{{"p/a.py", 2, 10, "TODO", "sum"}, {"p/a.py", 4, 3, "FIXME", ""}}
	if got, want := found.Lines(), "p/a.py:2: TODO sum\np/a.py:4: FIXME\n"; got != want {
		t.Errorf("got %q", got)
	}
	if got, want := found.Markdown(), "# To be done\n\n## p/a.py\n\n- line 2: sum\n- line 4: \n"; got != want {
		t.Errorf("got %q", got)
	}
	if d := found.Diagnostics()[0]; d.Range.Start.Column != 10 || d.Range.End.Column != 14 || d.Rule != "todo" {
		t.Errorf("got %+v", d)
	}
}
