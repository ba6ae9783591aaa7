package capability_test

import (
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestWhatCoversWhat(t *testing.T) {
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"git", "git", true},
		{"git", "cache", false},
		{"fs.read", "fs.read:**", true},
		{"fs.read", "fs.out:build", false},
		{"fs.read:**", "fs.read:a/*.sh", true},
		{"fs.read:**/*.sh", "fs.read:a/b/*.sh", true},
		{"fs.read:**/*.sh", "fs.read:run.sh", true},
		{"fs.read:**/*.sh", "fs.read:**/*.py", false},
		{"fs.read:*/*.sh", "fs.read:**/*.sh", false},
		{"fs.read:src/**", "fs.read:src/**/*.c", true},
		{"fs.read:src/**", "fs.read:**/src/*.c", false},
		{"fs.read:src/*", "fs.read:src/**", false},
		{"fs.read:?.sh", "fs.read:*.sh", false},
		{"fs.read:?.sh", "fs.read:a.sh", true},
		{"fs.read:*.{sh,bash}", "fs.read:*.bash", true},
		{"fs.read:*.{sh,bash}", "fs.read:a.{sh,bash}", true},
		{"fs.read:*.sh", "fs.read:a.{sh,bash}", false},
		{"fs.read:**/*.[ch]", "fs.read:**/*.[ch]", true},
		{"fs.read:*.[ch]", "fs.read:a.c", false}, // it is, and hard to tell
		{"fs.read:{" + strings.Repeat("a,", 70) + "b}", "fs.read:b", false},
		{"fs.read", "fs.read:.env", true},
		{"fs.read:**", "fs.read:.env", false}, // ** shows no secrets
		{"fs.read:**", "fs.read:*.env", true}, // neither does this
		{"fs.read:**", "fs.read:{.env,a}", true},
		{"fs.read:certs/**", "fs.read:certs/dev.pem", false},
		{"fs.read:.git/**", "fs.read:.git/config", true},
		{"fs.read:.git/**", "fs.read:.git/.netrc", false},
		{"fs.read:*/config", "fs.read:.git/config", false},
		{"fs.out:build", "fs.out:build", true},
		{"fs.out:build", "fs.out:build/x", true},
		{"fs.out:build", "fs.out:builds", false},
		{"fs.out:.", "fs.out:build", true},
		{"exec:ruff", "exec:ruff@tools", false},
		{"exec:*", "exec:ruff", true},
		{"exec:*", "exec:ruff@tools", false},
		{"exec:*@tools", "exec:ruff@tools", true},
		{"exec:*@*", "exec:ruff@tools", true},
		{"exec:ruff*", "exec:ruf", false},
		{"http", "http:GET https://example.com", true},
		{"http:GET https://*.example.com", "http:GET https://api.example.com", true},
		{"http:GET https://*.example.com", "http:GET https://example.com", false},
		{"http:GET https://*.example.com", "http:POST https://api.example.com", false},
		{"http:GET https://*.example.com", "http:GET https://api.example.com:8443", false},
		{"http:* https://example.com", "http:POST https://example.com", true},
		{"http:* https://example.com", "http:GET http://example.com", false},
		{"http:GET https://*", "http:GET https://example.com", true},
		{"http:GET https://*", "http:GET https://example.com:8443", false},
		{"http:*", "http:GET https://example.com", false},
		{"secret:NPM_*", "secret:NPM_TOKEN", true},
		{"secret:NPM_*", "secret:PYPI_TOKEN", false},
		{"secret:*A*B", "secret:xAAyABB", true},
	} {
		if got := capability.Covers(abi.ParseCapability(c.wide), abi.ParseCapability(c.narrow)); got != c.want {
			t.Errorf("%s covers %s: got %t", c.wide, c.narrow, got)
		}
	}
}

func TestAFileIsMatchedByItsName(t *testing.T) {
	allows := func(granted, path string) bool {
		return capability.Allows(abi.ParseCapability(granted), abi.Capability{Name: abi.CapRead, Value: path})
	}
	if !allows("fs.read:**/*.sh", "a/b.sh") || !allows("fs.read:*.[ch]", "a.c") || !allows("fs.read:*", "odd*name") {
		t.Error("a file that is granted is not allowed")
	}
	if allows("fs.read:a.sh", "a.sh/b") || allows("fs.read:*/*.sh", "**/x/a.sh") || allows("fs.read:**", "a/.env") || allows("git", "a") {
		t.Error("a file is allowed that is not granted")
	}
}

// TestNoGlobCoversWhatItDoesNotMatch tries all pairs of globs of few parts against
// all paths of few parts.
func TestNoGlobCoversWhatItDoesNotMatch(t *testing.T) {
	parts := []string{"a", "ab", "*", "a*", "*b", "?", "??", "**", "{a,b}", "[ab]", "{a*,?b}"}
	names := []string{"a", "b", "ab", "ba", "aab"}
	globs, paths := sequences(parts), sequences(names)
	matches := map[string]map[string]bool{}
	for _, g := range globs {
		matches[g] = map[string]bool{}
		for _, p := range paths {
			matches[g][p] = matched(g, p)
		}
	}
	covered := 0
	for _, wide := range globs {
		for _, narrow := range globs {
			if !capability.Covers(abi.Capability{Name: abi.CapRead, Value: wide}, abi.Capability{Name: abi.CapRead, Value: narrow}) {
				continue
			}
			covered++
			for _, p := range paths {
				if matches[narrow][p] && !matches[wide][p] {
					t.Fatalf("%s is said to cover %s, and does not match %s", wide, narrow, p)
				}
			}
		}
	}
	if covered < 10*len(globs) {
		t.Errorf("only %d of %d pairs cover each other: this tries nothing", covered, len(globs)*len(globs))
	}
}

// matched says that a glob matches a path. A ** stands for nothing as well; at the
// end of a glob, doublestar sees it so only behind a part without wildcards.
func matched(glob, path string) bool {
	dir, all := strings.CutSuffix(glob, "/**")
	return doublestar.MatchUnvalidated(glob, path) || all && matched(dir, path)
}

// sequences are all paths of one, two or three of the parts.
func sequences(parts []string) []string {
	all := append([]string{}, parts...)
	for _, a := range parts {
		for _, b := range parts {
			all = append(all, a+"/"+b)
		}
	}
	for _, a := range parts[:min(8, len(parts))] {
		for _, b := range parts[:min(8, len(parts))] {
			for _, c := range parts[:min(8, len(parts))] {
				all = append(all, a+"/"+b+"/"+c)
			}
		}
	}
	return all
}

func TestALongGlobIsJudgedAtOnce(t *testing.T) {
	wide := strings.Repeat("**/a*a*a*/", 40) + "z"
	narrow := strings.Repeat("aaaaaaaa/", 50) + "y"
	if capability.Covers(abi.Capability{Name: abi.CapRead, Value: wide}, abi.Capability{Name: abi.CapRead, Value: narrow}) {
		t.Error("it is said to cover what ends differently")
	}
}

func FuzzCovers(f *testing.F) {
	f.Add("**/*.sh", "a/*.{sh,bash}", "a/b.sh")
	f.Add("{a,{b,c}}/**", "c/?", "c/d")
	f.Fuzz(func(t *testing.T, wide, narrow, path string) {
		w, n := abi.Capability{Name: abi.CapRead, Value: wide}, abi.Capability{Name: abi.CapRead, Value: narrow}
		if capability.Check(w) != nil || capability.Check(n) != nil || !doublestar.ValidatePattern(path) {
			return
		}
		p := abi.Capability{Name: abi.CapRead, Value: path}
		if capability.Check(p) != nil || strings.ContainsAny(path, "*?[{") {
			return
		}
		if capability.Covers(w, n) && matched(narrow, path) && !matched(wide, path) {
			t.Errorf("%q covers %q and does not match %q", wide, narrow, path)
		}
	})
}

func TestNoGrantIsOneToWriteWhatIsGitsOrWrs(t *testing.T) {
	granted := abi.Capability{Name: abi.CapOut, Value: "."}
	for name, want := range map[string]bool{
		"a.txt": true, ".github/x.yml": true, "docs/wr.toml.md": true, "a/git": true,
		".git": false, ".git/hooks/pre-commit": false, "sub/.Git/config": false, ".wr/runs/x": false, ".wr-plugins/a.wasm": false,
		"wr.toml": false, "infra/wr.toml": false, "WR.LOCK": false, "wr.local.toml": false,
	} {
		if got := capability.Allows(granted, abi.Capability{Name: abi.CapOut, Value: name}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
