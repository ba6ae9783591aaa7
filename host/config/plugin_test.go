package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func parsed(t *testing.T, text string) *config.File {
	t.Helper()
	f, err := config.Parse("wr.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAProjectsOwnTableOfAPluginGoesBeforeTheRoots(t *testing.T) {
	root := parsed(t, "[plugins.shlint]\npriority = 3\nconfig = { max = 1, list = [\"a\"] }\n[plugins.off]\nenabled = false\n")
	project := parsed(t, "[plugins.shlint]\nconfig = { max = 2, deep = { a = 1.5 } }\n[plugins.off]\nenabled = true\n")
	got := config.PluginOf(root, project, "shlint")
	want := config.Plugin{Enabled: true, Priority: 3, Config: map[string]any{
		"max": int64(2), "list": []any{"a"}, "deep": map[string]any{"a": 1.5},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []struct {
		project *config.File
		want    bool
	}{{root, false}, {project, true}, {config.Default(), false}} {
		if got := config.PluginOf(root, c.project, "off"); got.Enabled != c.want {
			t.Errorf("enabled is %t, want %t", got.Enabled, c.want)
		}
	}
	if got := config.PluginOf(root, project, "other"); !got.Enabled || got.Priority != 0 || len(got.Config) != 0 {
		t.Errorf("of a plugin that no file names: %+v", got)
	}
	if at := project.Line(config.Key("plugins", "shlint", "config", "deep", "a")); at != 2 {
		t.Errorf("a key of a plugin's own is on line %d", at)
	}
}

func TestMistakesInPluginsAndTheirPolicyAreFound(t *testing.T) {
	for text, want := range map[string]string{
		"[plugins.Lint]\n":                                                             "wr.toml:1: [plugins] Lint: \"Lint\" is not the name of a plugin",
		"[plugins.lint]\nenable = true\n":                                              "wr.toml:2: unknown key [plugins] lint.enable (did you mean enabled?)",
		"[plugins.lint]\nconfig = 3\n":                                                 "wr.toml:2: [plugins] lint.config: expected a table",
		"[policy.plugins]\ncapabilities = [\"git\"]\n":                                 "wr.toml:1: [policy]: policy belongs in",
		"[workspace]\n[policy.plugins]\ncapabilities = [\"fs.raed:**\"]\n":             "wr.toml:3: [policy] plugins.capabilities[0]: there is no capability \"fs.raed\" (did you mean fs.read?)",
		"[workspace]\n[policy.plugins]\nsources = [\"http://x/\"]\n":                   "wr.toml:3: [policy] plugins.sources[0]: \"http://x/\" is neither",
		"[workspace]\n[policy.plugins]\nsources = [\"https://x\"]\n":                   "wr.toml:3: [policy] plugins.sources[0]: \"https://x\" is neither",
		"[workspace]\n[policy.plugins.limits]\nmemory = \"1KiB\"\n":                    "wr.toml:3: [policy] plugins.limits.memory: 1.024kB is not between 1MiB and 4GiB",
		"[workspace]\n[policy.plugins.limits]\ncall = \"0s\"\n":                        "wr.toml:3: [policy] plugins.limits.call: is nothing",
		"[workspace]\n[policy.plugins]\nsources = [\"file\", \"https://x.test/y/\"]\n": "",
	} {
		_, err := config.Parse("wr.toml", []byte(text))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

func TestAPolicyOutsideOfWorkspacesIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "policy.toml")
	if bound, err := config.LoadPolicy(path, true); err != nil || bound.Given("capabilities") {
		t.Errorf("one that is not there: %+v, %v", bound, err)
	}
	text := "[plugins]\ncapabilities = []\n[plugins.limits]\nmemory = \"64MiB\"\n"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	bound, err := config.LoadPolicy(path, false)
	if err != nil || !bound.Given("capabilities") || bound.Line("capabilities") != 2 || bound.Given("sources") || bound.File != path || bound.Limits.Memory != 64<<20 {
		t.Errorf("got %+v, %v", bound, err)
	}
	if _, err := config.LoadPolicy(path, true); !fault.HasCode(err, "policy.not_owned") {
		t.Errorf("one that everybody can write: %v", err)
	}
	if err := os.WriteFile(path, []byte("[plugin]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.LoadPolicy(path, false); !fault.HasCode(err, "config.unknown_key") {
		t.Errorf("one with a mistake: %v", err)
	}
}

func TestLimitsOfPluginsAreWrittenAsTheyAreRead(t *testing.T) {
	written := map[string]string{
		"memory": "512MiB", "call": "2m0s", "output": "1GiB", "log": "4MiB", "instances": "2", "compile_memory": "4GiB", "compile_time": "5m0s",
		"files": "100", "pending": "3", "module_size": "100MB", "function_size": "2MiB",
		"functions": "4", "locals": "5", "tables": "6", "table_size": "7", "segments": "8", "entries": "9",
	}
	var l config.PluginLimits
	for key, text := range written {
		if err := l.Set(key, text); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	want := map[string]any{}
	for key, text := range written {
		want[key] = text
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			want[key] = n
		}
	}
	if got := l.Written(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if wrong := l.Check(); len(wrong) != 0 {
		t.Errorf("they make no sense: %v", wrong)
	}
	for _, key := range []string{"memory", "call", "files"} {
		none := l
		if err := none.Set(key, ""); err != nil || len(none.Written()) != len(written)-1 {
			t.Errorf("%s without a value: %v, %v", key, none.Written(), err)
		}
	}
	if err := l.Set("memroy", "1"); !fault.HasCode(err, "limit.unknown") || fault.Of(err).Hint != "memory" {
		t.Errorf("got %v", err)
	}
	bound := config.PluginLimits{Memory: 256 << 20, Call: config.Duration(time.Hour), Files: 100}
	keys := func(all []config.LimitError) (keys []string) {
		for _, wrong := range all {
			keys = append(keys, wrong.Key)
		}
		return keys
	}
	if got := keys(l.Above(bound)); !slices.Equal(got, []string{"memory"}) {
		t.Errorf("above the bound are %v", got)
	}
	if got := keys(config.PluginLimits{Pending: 1 << 20, Files: -1}.Check()); !slices.Equal(got, []string{"files", "pending"}) {
		t.Errorf("what makes no sense is %v", got)
	}
}
