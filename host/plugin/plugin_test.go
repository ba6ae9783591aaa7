package plugin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	plugin "github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const text = `{"abi":"wr/1","name":"deps","version":"1.0.0","kind":"rpc","provides":{"discover":true},
"capabilities":[{"name":"git","reason":"to see what changed"},{"name":"fs.read","value":"**/*.py","reason":"to read imports"}],
"config":{"type":"object","properties":{"max":{"type":"integer"},"deep":{"type":"object","properties":{"a":{"type":"string"}}}},"additionalProperties":false}}`

// write writes a plugin to a file.
func write(t *testing.T, name, text string) {
	t.Helper()
	packed, err := module.WithManifest(moduletest.Return().Bytes(), []byte(text))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o700)
	}
	if err == nil {
		err = os.WriteFile(name, packed, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// workspace has a plugin in tools/deps.wasm, which is pinned and granted git.
func workspace(t *testing.T) (plugin.Loader, pin.Pin) {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	write(t, filepath.Join(dir, "tools/deps.wasm"), text)
	l := plugin.Loader{Fetcher: fetch.Fetcher{Dir: dir}, Store: s}
	b, err := l.Fetcher.Get(t.Context(), "tools/deps.wasm")
	if err != nil {
		t.Fatal(err)
	}
	p := pin.Pin{Source: "tools/deps.wasm", Size: int64(len(b.Module))}
	p.Digest, p.Manifest = b.Digests()
	if p, err = pin.Of(b.Manifest, p, b.Manifest.Requests()[1:]); err != nil {
		t.Fatal(err)
	}
	return l, p
}

func TestAPluginIsLoadedWithoutItsModule(t *testing.T) {
	l, p := workspace(t)
	got, err := l.Load(t.Context(), p)
	if err != nil || got.Manifest.Version != "1.0.0" || strings.Join(got.Grant.Capabilities().Strings(), " ") != "git" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if err := os.RemoveAll(l.Fetcher.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Load(t.Context(), p); err != nil {
		t.Errorf("from the store: %v", err)
	}
	if data, err := l.Module(t.Context(), p); err != nil || store.Digest(data) != p.Digest {
		t.Errorf("the module: %d bytes, %v", len(data), err)
	}
}

func TestAPluginThatWasReplacedIsRefused(t *testing.T) {
	for name, place := range map[string]string{"at its source": "tools/deps.wasm", "where it is vendored": plugin.Vendored("deps")} {
		t.Run(name, func(t *testing.T) {
			l, p := workspace(t)
			write(t, filepath.Join(l.Fetcher.Dir, place), strings.Replace(text, "to see what changed", "to have fun", 1))
			_, err := l.Load(t.Context(), p)
			if f := fault.Of(err); err == nil || f.Code != "plugin.changed" || f.File != place || !strings.Contains(f.Next, "wr plugin update deps") {
				t.Errorf("got %+v", err)
			}
			if _, err := l.Module(t.Context(), p); !fault.HasCode(err, "plugin.changed") {
				t.Errorf("the module: %v", err)
			}
		})
	}
}

func TestAVendoredPluginNeedsNoSource(t *testing.T) {
	l, p := workspace(t)
	write(t, filepath.Join(l.Fetcher.Dir, plugin.Vendored("deps")), text)
	p.Source = "https://127.0.0.1:1/deps.wasm"
	if _, err := l.Load(t.Context(), p); err != nil {
		t.Error(err)
	}
}

func TestAPolicyKeepsAPluginOut(t *testing.T) {
	l, p := workspace(t)
	file := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(file, []byte("[plugins]\nsources = [\"https://example.com/\"]\nlimits = { memory = \"64MiB\" }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bound, err := config.LoadPolicy(file, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Ceiling = grant.Ceiling{bound}
	if _, err := l.Load(t.Context(), p); fault.Of(err).Code != "policy.plugins" || fault.Of(err).Line != 2 {
		t.Errorf("a source: %v", err)
	}
	p.Source, p.Limits.Memory = "https://example.com/deps.wasm", 1<<30
	if _, err := l.Load(t.Context(), p); fault.Of(err).Code != "policy.plugins" || fault.Of(err).Line != 3 {
		t.Errorf("a limit: %v", err)
	}
}

// place is a wr.toml.
func place(t *testing.T, name, text string) plugin.Place {
	t.Helper()
	f, err := config.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return plugin.Place{File: f, Name: name}
}

func TestSettingsAreHeldAgainstTheSchema(t *testing.T) {
	l, p := workspace(t)
	loaded, err := l.Load(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ root, project, config, at, want string }{
		"nothing":                     {"", "", "", "", ""},
		"of both":                     {"[plugins.deps.config]\nmax = 1\n", "[plugins.deps.config]\ndeep.a = \"x\"\n", `{"deep":{"a":"x"},"max":1}`, "", ""},
		"a mistake in the root's":     {"[plugins.deps.config]\nmax = \"1\"\n", "", "", "wr.toml:2", "[plugins.deps] config.max: type"},
		"a mistake that is put right": {"[plugins.deps.config]\nmax = \"1\"\n", "[plugins.deps.config]\nmax = 1\n", `{"max":1}`, "", ""},
		"a mistake in the project's":  {"[plugins.deps.config]\nmax = 1\n", "\n[plugins.deps]\nconfig = { max = \"1\" }\n", "", "infra/wr.toml:3", "[plugins.deps] config.max: type"},
		"a mistake deep down":         {"", "[plugins.deps.config.deep]\na = 1\n", "", "infra/wr.toml:2", "config.deep.a: type"},
		"a key that nobody knows":     {"[plugins.deps.config]\nmx = 1\n", "", "", "wr.toml:2", "(did you mean max?)"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := loaded.Settings(place(t, "wr.toml", c.root), place(t, "infra/wr.toml", c.project))
			if string(got.Config) != c.config || !got.Enabled {
				t.Errorf("got %+v, want %s", got, c.config)
			}
			if (err == nil) != (c.want == "") || err != nil && (!strings.HasPrefix(err.Error(), c.at+": ") || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s at %s", err, c.want, c.at)
			}
		})
	}
}

func TestATableForAPluginThatIsNotPinnedIsSaid(t *testing.T) {
	at := place(t, "wr.toml", "[plugins.deps]\n[plugins.dps]\nenabled = false\n[plugins.zzz.config]\na = 1\n")
	all := plugin.Unpinned(at, pin.Pins{"deps": {}})
	if len(all) != 2 || !strings.HasPrefix(errors.Join(all...).Error(), "wr.toml:2: ") || fault.Of(all[0]).Hint != "deps" || fault.Of(all[1]).Line != 4 {
		t.Errorf("got %v", all)
	}
}
