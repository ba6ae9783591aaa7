package grant_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

var _ call.Grants = (*grant.Grant)(nil)

func set(texts ...string) capability.Set {
	var all []abi.Capability
	for _, text := range texts {
		all = append(all, abi.ParseCapability(text))
	}
	return capability.SetOf(all...)
}

// asking is the manifest of a plugin that asks for some capabilities.
func asking(t *testing.T, texts ...string) *manifest.Manifest {
	t.Helper()
	m := &manifest.Manifest{Manifest: abi.Manifest{Name: "lint"}}
	for _, text := range texts {
		m.Capabilities = append(m.Capabilities, abi.Request{Capability: abi.ParseCapability(text), Reason: "for " + text})
	}
	return m
}

// policy is one in a file with that text.
func policy(t *testing.T, text string) config.Bound {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bound, err := config.LoadPolicy(path, false)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func TestAPluginHasWhatItAsksForAndIsGrantedAndNoPolicyTakesAway(t *testing.T) {
	m := asking(t, "fs.read:**/*.sh", "exec:ruff", "git", "http:GET https://api.example.com")
	none := config.Bound{}
	for name, c := range map[string]struct {
		locked  capability.Set
		ceiling grant.Ceiling
		want    []string
	}{
		"nothing granted":       {set(), nil, nil},
		"all granted":           {m.Requests(), nil, m.Requests().Strings()},
		"more than it asks for": {set("git", "cache", "fs.read:**"), nil, []string{"git"}},
		"less than it asks for": {set("fs.read:src/*.sh"), nil, []string{"fs.read:src/*.sh"}},
		"a policy that says nothing": {
			set("git"), grant.Ceiling{none, policy(t, "[plugins]\nsources = [\"file\"]\n")}, []string{"git"},
		},
		"a policy that allows nothing": {m.Requests(), grant.Ceiling{policy(t, "[plugins]\ncapabilities = []\n")}, nil},
		"a policy that allows some": {
			m.Requests(),
			grant.Ceiling{policy(t, "[plugins]\ncapabilities = [\"fs.read\", \"http:GET https://*.example.com\"]\n")},
			[]string{"fs.read:**/*.sh", "http:GET https://api.example.com"},
		},
		"two policies": {
			m.Requests(),
			grant.Ceiling{policy(t, "[plugins]\ncapabilities = [\"fs.read\", \"git\"]\n"), policy(t, "[plugins]\ncapabilities = [\"git\", \"exec\"]\n")},
			[]string{"git"},
		},
		"a policy of a part of the files": {m.Requests(), grant.Ceiling{policy(t, "[plugins]\ncapabilities = [\"fs.read:src/**\"]\n")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := grant.Make(m, c.locked, c.ceiling)
			if got := g.Capabilities().Strings(); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if len(g.Missing()) == 0 != (len(c.want) == len(m.Capabilities)) {
				t.Errorf("missing are %v", g.Missing())
			}
		})
	}
}

func TestWhatIsDeniedSaysWhatWouldGrantIt(t *testing.T) {
	m := asking(t, "fs.read:**/*.sh", "exec:ruff", "exec:mypy@tools", "git")
	bound := policy(t, "[plugins]\ncapabilities = [\n \"fs.read\", \"exec\",\n]\n")
	g := grant.Make(m, set("fs.read:src/**/*.sh", "git"), grant.Ceiling{bound})
	for text, want := range map[string]*abi.Denied{
		"fs.read:src/a/b.sh": nil,
		"fs.read:a.sh":       {Capability: "fs.read:a.sh", Reason: "for fs.read:**/*.sh", Grant: "wr plugin grant lint 'fs.read:**/*.sh'"},
		"exec:ruff":          {Capability: "exec:ruff", Reason: "for exec:ruff", Grant: "wr plugin grant lint exec:ruff"},
		"exec:ruff@tools":    {Capability: "exec:ruff@tools", Grant: "the manifest of lint does not ask for it, and its author would have to add it there"},
		"fs.read:src/.env":   {Capability: "fs.read:src/.env", Grant: "the manifest of lint does not ask for it, and its author would have to add it there"},
		"git":                {Capability: "git", Reason: "for git", Grant: "the policy at " + bound.File + `:2 does not allow it; "git" would have to be added there`},
	} {
		got := g.Allow(abi.ParseCapability(text))
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
	if got := g.Values("fs.read"); !slices.Equal(got, []string{"src/**/*.sh"}) {
		t.Errorf("it reads %v", got)
	}
	var missing []string
	for _, d := range g.Missing() {
		missing = append(missing, d.Capability)
	}
	if want := []string{"fs.read:**/*.sh", "exec:ruff", "exec:mypy@tools", "git"}; !slices.Equal(missing, want) {
		t.Errorf("missing are %v, want %v", missing, want)
	}
}

func TestSourcesAndLimitsHaveACeiling(t *testing.T) {
	all := grant.Ceiling{policy(t, "[plugins]\nsources = [\"file\", \"https://plugins.example.com/x/\"]\n[plugins.limits]\nmemory = \"1GiB\"\n")}
	for source, want := range map[string]bool{
		"tools/lint.wasm": true, "https://plugins.example.com/x/a.wasm": true,
		"https://plugins.example.com/y.wasm": false, "https://plugins.example.com.evil.test/x/a.wasm": false, "oci://x": false,
	} {
		err := all.CheckSource(source)
		if (err == nil) != want {
			t.Errorf("%s: %v", source, err)
		}
		if f := fault.Of(err); err != nil && (f.Code != "policy.plugins" || f.Line != 2) {
			t.Errorf("%s: %+v", source, f)
		}
	}
	if err := (grant.Ceiling{policy(t, "")}).CheckSource("https://example.com/a.wasm"); err != nil {
		t.Errorf("a policy that says nothing: %v", err)
	}
	if err := all.CheckLimits(config.PluginLimits{Memory: 1 << 30, Files: 1000}); err != nil {
		t.Error(err)
	}
	err := all.CheckLimits(config.PluginLimits{Memory: 2 << 30})
	if f := fault.Of(err); err == nil || f.Line != 4 || !strings.Contains(f.Message, "2GiB is more than 1GiB") {
		t.Errorf("got %+v", f)
	}
}

func TestAWordIsQuotedAsShellsTakeIt(t *testing.T) {
	for word, want := range map[string]string{"exec:ruff@a/b": "exec:ruff@a/b", "fs.read:*": "'fs.read:*'", "a b": "'a b'", "a'b": `'a'\''b'`, "": "''"} {
		if got := grant.Quote(word); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
