//go:build engine

package cli

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/wr-build/wr/host/report"
)

// TestWhatIsCachedIsWhatARunGives changes one thing of a workspace after the other,
// and compares what `wr test` tells with the cache and without it. Which changes are
// made follows from the commit.
func TestWhatIsCachedIsWhatARunGives(t *testing.T) {
	n := 500
	if testing.Short() {
		n = 40
	}
	w := realWr(t)
	version, _, _ := w.run(t.TempDir(), "version")
	version, _, _ = strings.Cut(version, "\n")
	seed := sha256.Sum256([]byte(version))
	s := soundness{real: w, dir: soundnessWorkspace(t), random: rand.New(rand.NewChaCha8(seed))}
	before := w.census()
	s.test("--cache", "on")
	s.base = s.test("--cache", "on")
	if s.base.exit != 0 {
		t.Fatalf("the tests do not pass: %v", s.base)
	}
	for i := range n {
		s.change(i)
	}
	t.Logf("%d changes for %s: %d changed what tests give; %d times the former state was told from the cache, %s sooner in all", n, version, s.differed, s.hits, s.saved.Round(time.Millisecond))
	switch {
	case s.differed < n/3:
		t.Errorf("only %d of %d changes changed what tests give: they are no proof", s.differed, n)
	case s.hits < n*9/10:
		t.Errorf("only %d of %d states that were known have been told from the cache", s.hits, n)
	}
	w.leavesNothing(before)
}

// soundness is a workspace that is changed.
type soundness struct {
	real
	dir    string
	random *rand.Rand
	base   outcomes
	full   time.Duration // of the last run without the cache

	differed, hits int
	saved          time.Duration
}

func soundnessWorkspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	archive, err := txtar.ParseFile("testdata/soundness.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// outcomes are what a run tells.
type outcomes struct {
	exit   int
	cached int // projects
	cases  map[string]string
}

func (a outcomes) equal(b outcomes) bool { return a.exit == b.exit && maps.Equal(a.cases, b.cases) }

// test runs all tests. Where nothing could be planned there is no run, and no outcome.
func (s *soundness) test(args ...string) outcomes {
	s.t.Helper()
	s.must(os.RemoveAll(filepath.Join(s.dir, ".wr", "runs")))
	_, errs, exit := s.run(s.dir, append([]string{"test", "-r", "--suite", "all"}, args...)...)
	if exit > 3 {
		s.t.Fatalf("exit %d: %s", exit, errs)
	}
	all := outcomes{exit: exit, cases: map[string]string{}}
	if _, err := os.Lstat(filepath.Join(s.dir, ".wr", "runs")); err != nil {
		return all
	}
	for _, p := range lastReport(s.t, s.dir).Projects {
		tellOf(all.cases, p)
		if p.From != "" {
			all.cached++
		}
	}
	return all
}

func tellOf(cases map[string]string, p *report.Project) {
	cases[p.Name()] = string(p.Status)
	for _, c := range p.Cases {
		cases[p.Name()+" "+c.ID] = string(c.Outcome)
	}
	for _, e := range p.CollectErrors {
		cases[p.Name()+" "+e.Case] = "not collected"
	}
}

// change makes the nth change, compares, and takes it back.
func (s *soundness) change(n int) {
	s.t.Helper()
	before := s.snapshot()
	what := s.mutate(n, before)
	began := time.Now()
	with := s.test("--cache", "on")
	cached := time.Since(began)
	without := s.test("--cache", "off")
	s.full = time.Since(began) - cached
	if !with.equal(without) {
		s.t.Errorf("change %d, %s: with the cache %v, without %v", n, what, with, without)
	}
	if !without.equal(s.base) {
		s.differed++
	}
	s.restore(before)
	began = time.Now()
	again := s.test("--cache", "on")
	if again.cached == 2 {
		s.hits++
		s.saved += s.full - time.Since(began)
	}
	if !again.equal(s.base) {
		s.t.Errorf("change %d, %s, taken back: %v", n, what, again)
	}
}

// kept is a file as it was.
type kept struct {
	text []byte
	info fs.FileInfo
}

// snapshot reads all files but those of wr itself.
func (s *soundness) snapshot() map[string]kept {
	s.t.Helper()
	all := map[string]kept{}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".wr" {
				return fs.SkipDir
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(s.dir, path)
		all[name] = kept{text, info}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// restore takes back what was done since snapshot.
func (s *soundness) restore(before map[string]kept) {
	s.t.Helper()
	for name := range s.snapshot() {
		if _, ok := before[name]; !ok {
			s.must(os.Remove(s.path(name)))
		}
	}
	for name, f := range before {
		now, err := os.ReadFile(s.path(name))
		info, _ := os.Lstat(s.path(name))
		if err == nil && bytes.Equal(now, f.text) && info.Mode() == f.info.Mode() {
			continue
		}
		_ = os.Remove(s.path(name))
		s.must(os.WriteFile(s.path(name), f.text, 0o644))
		s.must(os.Chmod(s.path(name), f.info.Mode().Perm()))
	}
}

func (s *soundness) path(name string) string { return filepath.Join(s.dir, name) }

func (s *soundness) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// mutate changes one file, another one each time, and says how.
func (s *soundness) mutate(n int, before map[string]kept) string {
	s.t.Helper()
	names := slices.Sorted(maps.Keys(before))
	name := names[n%len(names)]
	f := before[name]
	ways := []func(string, kept) string{s.digit, s.digit, s.unseen, s.broken, s.gone, s.empty, s.executable, s.linked, s.shadow, s.shadow}
	if strings.HasSuffix(name, "Dockerfile") {
		ways = ways[:2] // others only show that no image can be made
	}
	return ways[s.random.IntN(len(ways))](name, f)
}

// digit replaces a digit by another one: the size stays, and the second may.
func (s *soundness) digit(name string, f kept) string {
	text := bytes.Clone(f.text)
	var at []int
	for i, c := range text {
		if c >= '0' && c <= '9' {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return s.broken(name, f)
	}
	i := at[s.random.IntN(len(at))]
	text[i] = '0' + (text[i]-'0'+1+byte(s.random.IntN(9)))%10
	s.must(os.WriteFile(s.path(name), text, 0o644))
	return fmt.Sprintf("digit %d of %s", i, name)
}

// unseen is digit under the old time.
func (s *soundness) unseen(name string, f kept) string {
	what := s.digit(name, f)
	s.must(os.Chtimes(s.path(name), f.info.ModTime(), f.info.ModTime()))
	return what + " at the same time"
}

func (s *soundness) broken(name string, f kept) string {
	s.must(os.WriteFile(s.path(name), append(bytes.Clone(f.text), "\n1 / 0\n"...), 0o644))
	return "a line more in " + name
}

func (s *soundness) gone(name string, _ kept) string {
	s.must(os.Remove(s.path(name)))
	return "without " + name
}

func (s *soundness) empty(name string, _ kept) string {
	s.must(os.Truncate(s.path(name), 0))
	return "nothing in " + name
}

func (s *soundness) executable(name string, _ kept) string {
	s.must(os.Chmod(s.path(name), 0o755))
	return "executable " + name
}

func (s *soundness) linked(name string, _ kept) string {
	s.must(os.Remove(s.path(name)))
	s.must(os.Symlink("/etc/hostname", s.path(name)))
	return "a link in place of " + name
}

// shadow adds a file that is found before another one, or where none was.
func (s *soundness) shadow(name string, _ kept) string {
	dir := filepath.Dir(name)
	added := []string{
		filepath.Join(dir, "conftest.py"), filepath.Join(dir, "json.py"), filepath.Join(dir, "money.py"), filepath.Join(dir, "__init__.py"),
		"app/app/second.py", "app/data/cases/3.txt", "lib/money.py", "conftest.py", "sitecustomize.py", "app/test/test_more.py", "pytest.ini",
	}
	more := added[s.random.IntN(len(added))]
	if _, err := os.Lstat(s.path(more)); err == nil {
		return s.gone(more, kept{})
	}
	s.must(os.WriteFile(s.path(more), []byte("1 / 0\n"), 0o644))
	return "a new " + more
}
