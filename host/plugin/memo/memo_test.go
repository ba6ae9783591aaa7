package memo_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

// lab is a workspace with a cache.
type lab struct {
	dir, cacheDir, index string
}

func newLab(t testing.TB, files ...string) lab {
	t.Helper()
	l := lab{dir: t.TempDir(), cacheDir: filepath.Join(t.TempDir(), "cache"), index: filepath.Join(t.TempDir(), "index")}
	for _, f := range files {
		l.write(t, f, f)
	}
	return l
}

func (l lab) at(name string) string { return filepath.Join(l.dir, name) }

func (l lab) write(t testing.TB, name, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(l.at(name)), 0o755), os.WriteFile(l.at(name), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// open begins another run of wr, which ends with the test or when end is called.
func (l lab) open(t testing.TB) (m *memo.Memo, end func()) {
	t.Helper()
	c, err := cache.Open(l.cacheDir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x := inputs.OpenIndex(l.index)
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if m, err = memo.New(c, x, root); err != nil {
		t.Fatal(err)
	}
	return m, func() {
		if err := errors.Join(m.Close(), c.Close(), x.Close()); err != nil {
			t.Error(err)
		}
	}
}

// ask is what a plugin with those grants would be told.
func (l lab) ask(t testing.TB, questions ...trace.Question) trace.Trace {
	t.Helper()
	root, err := os.OpenRoot(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := view.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	s, err := scope.New([]string{"**/*.sh"})
	if err != nil {
		t.Fatal(err)
	}
	v := view.New(tree, s)
	r := trace.NewRecorder(trace.Limits{})
	for _, q := range questions {
		a, err := v.Ask(q, v.Hash)
		if err != nil {
			t.Fatal(err)
		}
		r.Add(q, a)
	}
	return r.Take()
}

func question(kind trace.Kind, path string) trace.Question {
	return trace.Question{Kind: kind, Path: path}
}

func lint() memo.Call {
	return memo.Call{Plugin: "ab", Grants: []string{"fs.read:**/*.sh"}, Config: []byte("{}"), Method: "lint", Params: []byte(`{"files":["a.sh"]}`)}
}

// get says what is found.
func get(m *memo.Memo, c memo.Call) string {
	m.Forget()
	o, ok := m.Get(c)
	if !ok {
		return "miss"
	}
	return string(o.Result)
}

func put(t testing.TB, m *memo.Memo, c memo.Call, result string, asked trace.Trace) {
	t.Helper()
	if why := m.Put(c, memo.Outcome{Result: []byte(result)}, asked); why != "" {
		t.Fatalf("not kept: %s", why)
	}
}

func TestEachKindOfInputCounts(t *testing.T) {
	asks := []trace.Question{
		question(trace.Read, "a.sh"), question(trace.Stat, "size.sh"), question(trace.List, "d"), question(trace.Stat, "missing.sh"),
		question(trace.Lstat, "link.sh"), question(trace.Target, "link.sh"), question(trace.Read, "way.sh"),
	}
	tests := map[string]struct {
		change func(l lab, t *testing.T) error
		want   string
	}{
		"nothing":                               {func(lab, *testing.T) error { return nil }, "found"},
		"a file that was read":                  {func(l lab, t *testing.T) error { l.write(t, "a.sh", "A.sh"); return nil }, "miss"},
		"a file that was read, of another age":  {func(l lab, _ *testing.T) error { return os.Chtimes(l.at("a.sh"), time.Time{}, time.Unix(1, 0)) }, "found"},
		"a file that was read, of another mode": {func(l lab, _ *testing.T) error { return os.Chmod(l.at("a.sh"), 0o755) }, "found"},
		"a file that was read, gone":            {func(l lab, _ *testing.T) error { return os.Remove(l.at("a.sh")) }, "miss"},
		"the size of what was looked at":        {func(l lab, t *testing.T) error { l.write(t, "size.sh", "longer than it was"); return nil }, "miss"},
		"the content of what was looked at":     {func(l lab, t *testing.T) error { l.write(t, "size.sh", "SIZE.sh"); return nil }, "found"},
		"what became a directory": {func(l lab, _ *testing.T) error {
			return errors.Join(os.Remove(l.at("size.sh")), os.Mkdir(l.at("size.sh"), 0o755))
		}, "miss"},
		"a new name in a listing":      {func(l lab, t *testing.T) error { l.write(t, "d/new.sh", ""); return nil }, "miss"},
		"a name less in a listing":     {func(l lab, _ *testing.T) error { return os.Remove(l.at("d/x.sh")) }, "miss"},
		"a new name that is not shown": {func(l lab, t *testing.T) error { l.write(t, "d/new.go", ""); l.write(t, "d/.env", ""); return nil }, "found"},
		"what was missing":             {func(l lab, t *testing.T) error { l.write(t, "missing.sh", ""); return nil }, "miss"},
		"where a link leads": {func(l lab, _ *testing.T) error {
			return errors.Join(os.Remove(l.at("link.sh")), os.Symlink("d/../a.sh", l.at("link.sh")))
		}, "miss"},
		"a link on the way": {func(l lab, t *testing.T) error {
			l.write(t, "other.sh", "other")
			return errors.Join(os.Remove(l.at("way.sh")), os.Symlink("other.sh", l.at("way.sh")))
		}, "miss"},
		"what a link on the way leads to": {func(l lab, t *testing.T) error { l.write(t, "d/x.sh", "X"); return nil }, "miss"},
		"what nobody asked for":           {func(l lab, t *testing.T) error { l.write(t, "e/new.sh", "new"); l.write(t, "a.go", "new"); return nil }, "found"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, "a.sh", "size.sh", "d/x.sh", "d/hidden.go")
			if err := errors.Join(os.Symlink("a.sh", l.at("link.sh")), os.Symlink("d/x.sh", l.at("way.sh"))); err != nil {
				t.Fatal(err)
			}
			m, end := l.open(t)
			put(t, m, lint(), "found", l.ask(t, asks...))
			end()
			if err := tt.change(l, t); err != nil {
				t.Fatal(err)
			}
			m, end = l.open(t)
			defer end()
			if got := get(m, lint()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAllOfACallCounts(t *testing.T) {
	l := newLab(t, "a.sh")
	m, end := l.open(t)
	defer end()
	put(t, m, lint(), "found", l.ask(t, question(trace.Read, "a.sh")))
	for name, change := range map[string]func(*memo.Call){
		"plugin": func(c *memo.Call) { c.Plugin = "cd" },
		"grants": func(c *memo.Call) { c.Grants = append(c.Grants, "clock") },
		"scope":  func(c *memo.Call) { c.Grants = []string{"fs.read:**"} },
		"config": func(c *memo.Call) { c.Config = nil },
		"method": func(c *memo.Call) { c.Method = "format" },
		"params": func(c *memo.Call) { c.Params = []byte("{}") },
		"after":  func(c *memo.Call) { c.After = lint().Next() },
	} {
		c := lint()
		if change(&c); get(m, c) != "miss" {
			t.Errorf("another %s: found", name)
		}
	}
	if got := get(m, lint()); got != "found" {
		t.Errorf("got %q", got)
	}
}

func TestAnEarlierStateIsFoundAgain(t *testing.T) {
	l := newLab(t, "a.sh")
	m, end := l.open(t)
	defer end()
	for _, text := range []string{"one", "two", "three"} {
		l.write(t, "a.sh", text)
		if got := get(m, lint()); got != "miss" {
			t.Fatalf("got %q", got)
		}
		put(t, m, lint(), text, l.ask(t, question(trace.Read, "a.sh")))
	}
	for _, text := range []string{"two", "one", "three"} {
		l.write(t, "a.sh", text)
		if got := get(m, lint()); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestAPluginThatAsksOnIsFoundByWhatItAsked(t *testing.T) {
	l := newLab(t, "a.sh", "b.sh")
	m, end := l.open(t)
	defer end()
	one := []trace.Question{question(trace.Read, "a.sh")}
	two := []trace.Question{one[0], question(trace.Read, "b.sh")}
	put(t, m, lint(), "without b", l.ask(t, one...))
	l.write(t, "a.sh", "source b.sh")
	put(t, m, lint(), "with b", l.ask(t, two...))
	l.write(t, "b.sh", "changed")
	if got := get(m, lint()); got != "miss" {
		t.Errorf("got %q after what it depends on changed", got)
	}
	l.write(t, "a.sh", "a.sh")
	if got := get(m, lint()); got != "without b" {
		t.Errorf("got %q after what it does not depend on changed", got)
	}
}

func TestWhatDependsOnMoreIsNotKept(t *testing.T) {
	l := newLab(t, "a.sh")
	m, end := l.open(t)
	defer end()
	r := trace.NewRecorder(trace.Limits{})
	r.Spoil("a.sh changed while the plugin worked")
	if why := m.Put(lint(), memo.Outcome{}, r.Take()); !strings.Contains(why, "a.sh changed") {
		t.Errorf("a gap: got %q", why)
	}
	if why := m.Put(lint(), memo.Outcome{}, trace.Trace{}, "http", "clock", "http"); why != "it used clock, http" {
		t.Errorf("the network: got %q", why)
	}
	if got := get(m, lint()); got != "miss" {
		t.Errorf("got %q", got)
	}
}

func TestFilesInOutComeBack(t *testing.T) {
	l := newLab(t)
	m, end := l.open(t)
	if why := m.Put(lint(), memo.Outcome{Result: []byte("{}"), Files: map[string][]byte{"b": []byte("B"), "a/c": nil}}, trace.Trace{}); why != "" {
		t.Fatal(why)
	}
	end()
	m, end = l.open(t)
	defer end()
	o, ok := m.Get(lint())
	if !ok || string(o.Files["b"]) != "B" || len(o.Files) != 2 {
		t.Errorf("got %+v, %v", o, ok)
	}
}

func TestFewSetsOfQuestionsAreKept(t *testing.T) {
	l := newLab(t)
	m, end := l.open(t)
	defer end()
	set := func(i int) string { return fmt.Sprintf("%02d.sh", i) }
	for i := range 8 {
		l.write(t, set(i), "")
		put(t, m, lint(), set(i), l.ask(t, question(trace.Read, set(i))))
		if err := os.Remove(l.at(set(i))); err != nil {
			t.Fatal(err)
		}
	}
	found := func(i int) bool {
		l.write(t, set(i), "")
		defer os.Remove(l.at(set(i)))
		return get(m, lint()) == set(i)
	}
	if !found(0) { // and is now the newest
		t.Error("the first of eight is lost")
	}
	put(t, m, lint(), "ninth", l.ask(t, question(trace.Stat, "ninth.sh"), question(trace.Stat, "tenth.sh")))
	l.write(t, "tenth.sh", "") // so that the ninth is not found in their place
	if !found(0) || found(1) || !found(2) {
		t.Errorf("got first %v, second %v, third %v; want the second alone to be lost", found(0), found(1), found(2))
	}
}

func TestFilesStandStillUntilForget(t *testing.T) {
	l := newLab(t, "a.sh")
	m, end := l.open(t)
	defer end()
	put(t, m, lint(), "found", l.ask(t, question(trace.Read, "a.sh")))
	if _, ok := m.Get(lint()); !ok {
		t.Fatal("not found")
	}
	l.write(t, "a.sh", "other")
	if _, ok := m.Get(lint()); !ok {
		t.Error("the file is read again")
	}
	m.Forget()
	if _, ok := m.Get(lint()); ok {
		t.Error("the file is not looked at again")
	}
}

// Each of 5 plugins has a result for each of 1,000 files, as after wr lint.
func BenchmarkNothingChanged(b *testing.B) {
	const plugins, files = 5, 1000
	l := newLab(b)
	var calls []memo.Call
	m, end := l.open(b)
	for f := range files {
		dir := fmt.Sprintf("p%d/d%d/", f%10, f%50)
		name := fmt.Sprintf("%sf%d.sh", dir, f)
		l.write(b, name, name)
		asked := l.ask(b, question(trace.Stat, name), question(trace.Read, name), question(trace.Stat, dir+".config.sh"), question(trace.Stat, ".config.sh"))
		for p := range plugins {
			c := lint()
			c.Plugin, c.Params = fmt.Sprint(p), []byte(name)
			put(b, m, c, "[]", asked)
			calls = append(calls, c)
		}
	}
	then := time.Now().Add(-time.Hour)
	for _, c := range calls { // so that the index trusts them
		_ = os.Chtimes(l.at(string(c.Params)), then, then)
	}
	end()
	for b.Loop() {
		m, end := l.open(b)
		for _, c := range calls {
			if _, ok := m.Get(c); !ok {
				b.Fatal("a miss")
			}
		}
		end()
	}
}
