package attack

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	m "github.com/wr-build/wr/host/plugin/module/moduletest"
)

// TestALockThatAHandEdited has wr.lock say of shady what nobody granted it.
func TestALockThatAHandEdited(t *testing.T) {
	for name, tt := range map[string]struct {
		code, pattern, to string
		whole             bool // wr takes no such wr.lock at all
	}{
		"a grant that is not asked for": {code: "lock.widened", pattern: `'fs\.read:\*\*' = `, to: "'exec:sh' = 'trust me'\n${0}"},
		"a grant of what is hidden":     {code: "lock.widened", pattern: `'fs\.read:\*\*'`, to: `'fs.read:.env'`},
		"another reason":                {code: "lock.reason", pattern: `reads all that there is`, to: `reads nothing`},
		"other requests":                {code: "lock.requests", pattern: `requests = 'sha256:.{8}`, to: "requests = 'sha256:00000000"},
		"another module":                {code: "plugin.changed", pattern: `digest = 'sha256:.{8}`, to: "digest = 'sha256:00000000"},
		"another manifest":              {code: "plugin.changed", pattern: `manifest = 'sha256:.{8}`, to: "manifest = 'sha256:00000000"},
		"a digest that is a path":       {code: "lock.bad_value", pattern: `digest = '[^']*'`, to: "digest = '../../outside/canary'", whole: true},
		"a source that is outside":      {code: "lock.bad_value", pattern: `source = '[^']*'`, to: "source = '../outside/shady.wasm'", whole: true},
		"a limit that is none":          {code: "lock.bad_value", pattern: `memory = '64MiB'`, to: "memory = '64EiB'", whole: true},
		"what is not TOML":              {code: "lock.", pattern: `\[plugins\.shady\]`, to: "[plugins.shady", whole: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			attack{tries: []string{"loop"}}.arm(f)
			f.write("outside/shady.wasm", string(m.Return().Bytes()))
			f.edit(tt.pattern, tt.to)
			before := f.tree()
			o := f.wr("lint", "--recursive")
			f.compare(before)
			said := o.stderr + o.stdout
			t.Logf("exit %d: %s", o.code, said)
			code, good := 2, "p/a.py: warning todo left to be done" // a wr.lock that is wrong is bad usage
			if tt.code == "plugin.changed" {
				code = 3
			}
			if tt.whole {
				good = "at: wr.lock:"
			}
			if o.code != code || !strings.Contains(said, "["+tt.code) || !strings.Contains(said, good) || strings.Contains(said, "shady tries") {
				t.Errorf("exit %d, want %s and %q", o.code, tt.code, good)
			}
		})
	}
}

// edit changes by hand what wr.lock says of shady.
func (f *field) edit(pattern, to string) {
	f.t.Helper()
	path := filepath.Join(f.ws, "wr.lock")
	text, err := os.ReadFile(path)
	f.must(err)
	at := bytes.Index(text, []byte("[plugins.shady]"))
	old := regexp.MustCompile(pattern).FindSubmatchIndex(text[max(0, at):])
	if at < 0 || old == nil {
		f.t.Fatalf("%s is not in\n%s", pattern, text)
	}
	part := text[at:]
	edited := regexp.MustCompile(pattern).Expand(bytes.Clone(part[:old[0]]), []byte(to), part, old)
	f.must(os.WriteFile(path, bytes.Join([][]byte{text[:at], edited, part[old[1]:]}, nil), 0o600))
}

// TestAFileThatTookAnothersPlace has other bytes under the name of the plugin.
func TestAFileThatTookAnothersPlace(t *testing.T) {
	t.Parallel()
	f := newField(t)
	attack{tries: []string{"read /etc/hostname = " + missing}}.arm(f)
	f.must(os.Remove(filepath.Join(f.ws, "tools/shady.wasm")))
	f.write("ws/tools/shady.wasm", string(m.EndlessLoop().Bytes()))
	if r, o := f.lint(); o.code != 1 || len(linted(r, "shady").Diagnostics) != 1 { // the one that was added is kept
		t.Errorf("exit %d: %+v", o.code, r.Linters)
	}
	if o := f.wr("plugin", "verify"); o.code != 3 || !strings.Contains(o.stderr, "shady was replaced") || !strings.Contains(o.stderr, "plugin.changed") {
		t.Errorf("verify: exit %d: %s", o.code, o.stderr)
	}
}
