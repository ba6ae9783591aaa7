package scope_test

import (
	"path"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/scope"
)

func TestAScopeShowsWhatItsGlobsName(t *testing.T) {
	tests := []struct {
		globs       string // separated by spaces
		files, dirs string // shown
		notF, notD  string // not shown
	}{
		{"", "", ".", "a a/b", "a"},
		{"**", "a a/b/c.go .github/x", ". a a/b .github", ".env a/.env .git/config", ".git a/.git .wr"},
		{"**/*.sh", "x.sh a/b/x.sh", ". a a/b", "x.SH x.shx sh a/x.go", ".git"},
		{"a/b/*.go", "a/b/x.go", "a a/b", "a/x.go a/b/c/x.go x.go", "b a/c a/b/c"},
		{"a/*/c/*.go", "a/b/c/x.go", "a a/b a/b/c", "a/c/x.go", "b a/b/d a/b/c/d"},
		{"src/**/x/*.go", "src/x/y.go src/a/b/x/y.go", "src src/a src/a/b/x", "x/y.go", "x"},
		{"{a,b/c}/*.go", "a/x.go b/c/x.go", "a b b/c", "c/x.go b/x.go", ""},
		{"{a/b,c}", "a/b c", "a", "a/c", ""},
		{`\*.go`, "*.go", ".", "a.go", "a"},
		{"go.mod tools/*.toml", "go.mod tools/a.toml", "tools", "a/go.mod", "a"},
		{".env", ".env", ".", "a/.env .ENV .env.local", ".env"},
		{"a/.env", "a/.env", "a", ".env b/.env", ""},
		{"*/.env **/.env a/*.pem", "", "a", "a/.env .env a/x.pem", ".git"},
		{".git/**", ".git/HEAD .git/refs/heads/main", ".git .git/refs", ".git/credentials .git/a/id_rsa .gitx", "a/.git"},
		{".git/HEAD", ".git/HEAD", ".git", ".git/config", ".git/refs"},
		{"[.]env .e*", "", "", ".env", ""},
		{"certs/dev.pem **", "certs/dev.pem certs/x", "certs", "certs/prod.pem CERTS/DEV.PEM certs/dev.PEM", ""},
	}
	for _, tt := range tests {
		t.Run(tt.globs, func(t *testing.T) {
			s, err := scope.New(strings.Fields(tt.globs))
			if err != nil {
				t.Fatal(err)
			}
			each := func(names, kind string, shown func(string) bool, want bool) {
				for name := range strings.FieldsSeq(names) {
					if got := shown(name); got != want {
						t.Errorf("%s %q: got shown=%v", kind, name, got)
					}
				}
			}
			each(tt.files, "file", s.File, true)
			each(tt.notF, "file", s.File, false)
			each(tt.dirs, "directory", s.Dir, true)
			each(tt.notD, "directory", s.Dir, false)
		})
	}
}

func TestNoScopeShowsNothing(t *testing.T) {
	var s *scope.Scope
	if s.File("a") || s.Dir("a") || !s.Dir(".") {
		t.Error("want the root alone")
	}
}

func TestPathsThatAreNotCleanAreNotShown(t *testing.T) {
	s, err := scope.New([]string{"**", "a/**"})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "/", "/a", "..", "../a", "a/../b", "a/./b", "a//b", "a/", "./a", "a\x00b", "a\xff", "a/../.env", "x/../.git/config"} {
		if s.File(name) || s.Dir(name) {
			t.Errorf("%q is shown", name)
		}
	}
}

func TestWrongGlobsAreRefused(t *testing.T) {
	tests := map[string]string{
		"":                          "is empty",
		"/etc/passwd":               "relative",
		"../x":                      "leave",
		"a/../b":                    "leave",
		"a//b":                      "empty part",
		"a/":                        "empty part",
		"./a":                       "empty part",
		"[a":                        "no valid pattern",
		"{a":                        "no valid pattern",
		"a\x00":                     "not text",
		"a\xff":                     "not text",
		strings.Repeat("a/*", 500):  "longer",
		strings.Repeat("{a,aa}", 9): "alternatives",
	}
	for glob, want := range tests {
		if _, err := scope.New([]string{"ok", glob}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want one with %q", glob, err, want)
		}
	}
}

// FuzzScope: what is shown is reached through directories that are shown, and a
// secret is shown only to a glob that spells it.
func FuzzScope(f *testing.F) {
	for _, seed := range [][2]string{
		{"**/*.sh", "a/b.sh"},
		{"{a,b/c}/*.go", "b/c/x.go"},
		{"a/**/b/**", "a/b"},
		{".git/**", ".git/HEAD"},
		{"[{]/x", "{/x"},
		{"[}]{a/b,c}", "}a/b"},
		{`\{a/b`, "{a/b"},
		{"{a,**}/x", "b/c/x"},
		{"[a/b]", "a"},
		{"**", ".env"},
		{"{**,}", "0/0"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, glob, name string) {
		s, err := scope.New([]string{glob})
		if err != nil {
			return
		}
		if !s.File(name) {
			return
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if !s.Dir(dir) {
				t.Errorf("%q shows %q, but not %q", glob, name, dir)
			}
		}
		if scope.Secret(name) && strings.ContainsAny(strings.SplitN(glob, "/", 2)[0], "*?[{") {
			t.Errorf("%q begins with a wildcard and shows %q", glob, name)
		}
	})
}

func BenchmarkFile(b *testing.B) {
	s, err := scope.New([]string{"**/*.sh", "**/*.bash", ".editorconfig", "src/**/*.bats"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s.File("apps/optimizer/scripts/run_all_of_them.py")
	}
}
