package capability_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestACapabilityHasOneSpelling(t *testing.T) {
	for text, want := range map[string]string{ // part of what is said; "" = it is well
		"git": "", "cache": "", "clock": "", "random": "",
		"fs.read:**/*.sh": "", "fs.read:.editorconfig": "", "fs.read:**": "", "fs.read:a/{b,c}/*.[ch]": "",
		"fs.out:build": "", "fs.out:.": "",
		"exec:ruff": "", "exec:ruff@tools/lint": "", "exec:/usr/bin/ruff": "", "exec:ruff@.": "",
		"http:GET https://api.example.com": "", "http:POST https://example.com:8443": "", "http:GET http://[::1]:8080": "",
		"secret:NPM_TOKEN": "",

		"fs.write:**": "no capability", "": "no capability", "FS.READ:**": "no capability", "exec.host:sh": "no capability",
		"git:log": "takes no value",
		"fs.read": "needs a value", "secret": "needs a value", "http": "needs a value",
		"fs.read:/etc/passwd": "below the workspace's root", "fs.read:../x": "below the workspace's root", "fs.read:a/../../x": "below the workspace's root",
		"fs.read:./a": "below the workspace's root", "fs.read:a//b": "below the workspace's root", "fs.read:a/": "below the workspace's root",
		`fs.read:a\b`: "special characters", "fs.read:[a": "no valid pattern", "fs.read:{a": "no valid pattern",
		"fs.read:" + strings.Repeat("{a,b}", 9): "more than 256 alternatives",
		"fs.read:a\nb":                          "do not show", "fs.read: a": "do not show", "fs.read:a\u202eb": "do not show",
		"fs.read:" + strings.Repeat("a", 501): "more than 500 bytes",
		"fs.out:build/*":                      "a directory, not a glob", "fs.out:..": "below the workspace's root", "fs.out:.git/hooks": "no plugin may write", "fs.out:a/.GIT": "no plugin may write", "fs.out:a/wr.toml": "no plugin may write",
		"exec:@tools": "not a program", "exec:sh -c": "not a program", "exec:*": "not a program",
		"exec:ruff@../x": "below the workspace's root", "exec:ruff@": "below the workspace's root", "exec:ruff@*": "without wildcards",
		"http:https://example.com": "does not begin with a method", "http:get https://example.com": "does not begin with a method",
		"http:GET https://Example.com": "write GET https://example.com", "http:GET https://example.com:443": "write GET https://example.com",
		"http:GET https://example.com/": "write GET https://example.com", "http:GET https://example.com/x": "no user, path or query",
		"http:GET https://a@example.com": "no user, path or query", "http:GET ftp://example.com": "https:// or http://", "http:GET https://*.example.com": "not the name of a host",
		"secret:a-b": "cannot be the name",
	} {
		err := capability.Check(abi.ParseCapability(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestABoundStandsForMany(t *testing.T) {
	for _, text := range []string{"git", "fs.read", "fs.read:src/**", "http", "http:GET https://*.example.com", "http:* https://example.com", "exec:*", "exec:*@tools", "secret:NPM_*"} {
		if err := capability.CheckBound(abi.ParseCapability(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"fs", "fs.*", "*", "git:*", "fs.read:/x", "http:example.com", "exec:\x00*"} {
		if err := capability.CheckBound(abi.ParseCapability(text)); err == nil {
			t.Errorf("%s is taken for a bound", text)
		}
	}
}

func TestEveryCapabilityHasWords(t *testing.T) {
	names := capability.Names()
	if len(names) != 9 || !slices.IsSorted(names) {
		t.Errorf("names are %v", names)
	}
	for _, name := range names {
		c := abi.Capability{Name: name, Value: "VALUE"}
		err := capability.Check(abi.Capability{Name: name})
		if words := capability.Words(c); words == c.String() || strings.Contains(words, "VALUE") != (err != nil) {
			t.Errorf("%s: %q", name, words)
		}
	}
}

func TestASetHasOneForm(t *testing.T) {
	parse := abi.ParseCapability
	a := capability.SetOf(parse("git"), parse("fs.read:b"), parse("fs.read:a"), parse("git"))
	b := capability.SetOf(parse("fs.read:a"), parse("git"), parse("fs.read:b"))
	if !slices.Equal(a, b) || a.Digest() != b.Digest() || len(a) != 3 {
		t.Errorf("got %v, %v", a, b)
	}
	if c := capability.SetOf(parse("fs.read:a"), parse("git")); c.Digest() == a.Digest() {
		t.Error("another set has the same digest")
	}
	const none = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := capability.SetOf().Digest(); got != none {
		t.Errorf("the empty set has the digest %s", got)
	}
}

func TestWhatAnUpdateAddsIsFound(t *testing.T) {
	parse := abi.ParseCapability
	old := capability.SetOf(parse("fs.read:src/**"), parse("exec:ruff"), parse("git"))
	now := capability.SetOf(parse("fs.read:src/a/*"), parse("exec:ruff@tools"), parse("git"), parse("fs.read:**"))
	if got, want := now.Without(old).Strings(), []string{"exec:ruff@tools", "fs.read:**"}; !slices.Equal(got, want) {
		t.Errorf("added are %v, want %v", got, want)
	}
	if got, want := old.Without(now).Strings(), []string{"exec:ruff"}; !slices.Equal(got, want) {
		t.Errorf("gone are %v, want %v", got, want)
	}
}

func TestAWordIsQuotedAsShellsTakeIt(t *testing.T) {
	for word, want := range map[string]string{"exec:ruff@a/b": "exec:ruff@a/b", "fs.read:*": "'fs.read:*'", "a b": "'a b'", "a'b": `'a'\''b'`, "": "''"} {
		if got := capability.Quote(word); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
