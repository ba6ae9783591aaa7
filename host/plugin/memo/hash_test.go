package memo_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func hexOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// hashed are the names that globs have hashed.
func hashed(t *testing.T, l lab, globs ...string) []string {
	t.Helper()
	m, end := l.open(t)
	defer end()
	h, err := m.Hash(t.Context(), lint().Grants, globs)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(h.Files))
}

func TestHashesAreOfFilesThatAreGrantedAndNamed(t *testing.T) {
	l := newLab(t, "a.sh", "a.py", "d/b.sh", "d/e/c.sh", "f/d.sh", ".env/x.sh", ".git/hook.sh")
	outside := filepath.Join(t.TempDir(), "o.sh")
	for link, to := range map[string]string{"in.sh": "d/b.sh", "out.sh": outside, "dead.sh": "nowhere.sh", "dir": "d", "py.sh": "a.py"} {
		if err := os.Symlink(to, l.at(link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for glob, want := range map[string][]string{
		"**":            {"a.sh", "d/b.sh", "d/e/c.sh", "f/d.sh", "in.sh"},
		"d/**":          {"d/b.sh", "d/e/c.sh"},
		"*.sh":          {"a.sh", "in.sh"},
		"a.py":          nil,
		".git/hook.sh":  nil,
		"missing/**.sh": nil,
		"{d,f}/**/*.sh": {"d/b.sh", "d/e/c.sh", "f/d.sh"},
	} {
		if diff := cmp.Diff(want, hashed(t, l, glob)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", glob, diff)
		}
	}
	m, end := l.open(t)
	defer end()
	h, err := m.Hash(t.Context(), lint().Grants, []string{"d/b.sh", "in.sh"})
	if want := hexOf("d/b.sh"); err != nil || h.Files["d/b.sh"] != want || h.Files["in.sh"] != want {
		t.Errorf("got %v, %v", h.Files, err)
	}
	if h, err := m.Hash(t.Context(), nil, []string{"**"}); err != nil || len(h.Files) > 0 {
		t.Errorf("without a grant: %v, %v", h.Files, err)
	}
	if _, err := m.Hash(t.Context(), lint().Grants, []string{"d/../a.sh"}); err == nil {
		t.Error("a glob that is none is taken")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if h, err := m.Hash(ended, lint().Grants, []string{"**"}); err == nil || h.Asked.Gap() == "" {
		t.Errorf("nobody needs it any more: %v, %q", err, h.Asked.Gap())
	}
}

func TestAnAnswerFromHashesIsKeptWhileTheyAreTheSame(t *testing.T) {
	for what, test := range map[string]struct {
		change func(l lab) error
		want   string
	}{
		"nothing":                     {func(lab) error { return nil }, "found"},
		"a file that is not named":    {func(l lab) error { return os.WriteFile(l.at("a.sh"), []byte("2"), 0o600) }, "found"},
		"a file that is not granted":  {func(l lab) error { return os.WriteFile(l.at("d/x.py"), []byte("2"), 0o600) }, "found"},
		"a file that was hashed":      {func(l lab) error { return os.WriteFile(l.at("d/b.sh"), []byte("2"), 0o600) }, "miss"},
		"a file more":                 {func(l lab) error { return os.WriteFile(l.at("d/new.sh"), nil, 0o600) }, "miss"},
		"a file less":                 {func(l lab) error { return os.Remove(l.at("d/b.sh")) }, "miss"},
		"where a link leads":          {func(l lab) error { return os.WriteFile(l.at("f/d.sh"), []byte("2"), 0o600) }, "miss"},
		"a directory that was walked": {func(l lab) error { return os.RemoveAll(l.at("d")) }, "miss"},
	} {
		t.Run(what, func(t *testing.T) {
			l := newLab(t, "a.sh", "d/b.sh", "f/d.sh")
			if err := os.Symlink("../f/d.sh", l.at("d/link.sh")); err != nil {
				t.Fatal(err)
			}
			m, end := l.open(t)
			defer end()
			h, err := m.Hash(t.Context(), lint().Grants, []string{"d/**"})
			if err != nil {
				t.Fatal(err)
			}
			put(t, m, lint(), "found", h.Asked)
			if err := test.change(l); err != nil {
				t.Fatal(err)
			}
			if got := get(m, lint()); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestHashesAreThoseOfNow(t *testing.T) {
	l := newLab(t, "a.sh")
	m, end := l.open(t)
	defer end()
	for _, text := range []string{"one", "two"} {
		l.write(t, "a.sh", text)
		h, err := m.Hash(t.Context(), lint().Grants, []string{"*"})
		if err != nil || h.Files["a.sh"] != hexOf(text) {
			t.Errorf("%s: got %v, %v", text, h.Files, err)
		}
	}
}

func BenchmarkHashes(b *testing.B) {
	l := newLab(b)
	for i := range 1000 {
		l.write(b, fmt.Sprintf("d%d/f%d.sh", i%10, i), string(make([]byte, 8<<10)))
	}
	m, end := l.open(b)
	defer end()
	for b.Loop() {
		if h, err := m.Hash(b.Context(), lint().Grants, []string{"**"}); err != nil || len(h.Files) != 1000 {
			b.Fatal(len(h.Files), err)
		}
	}
}
