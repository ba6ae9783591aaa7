package pin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// shlint asks for some files and a program.
func shlint() *manifest.Manifest {
	return &manifest.Manifest{Manifest: abi.Manifest{Name: "shlint", Version: "1.2.0", Capabilities: []abi.Request{
		{Capability: abi.ParseCapability("fs.read:**/*.sh"), Reason: "it lints \"them\""},
		{Capability: abi.ParseCapability("exec:sh"), Reason: "to parse them"},
	}}}
}

func digest(digit string) string { return "sha256:" + strings.Repeat(digit, 64) }

// pinned is a pin of shlint with some grants.
func pinned(t *testing.T, grants ...string) pin.Pin {
	t.Helper()
	var set capability.Set
	for _, text := range grants {
		set = append(set, abi.ParseCapability(text))
	}
	p, err := pin.Of(shlint(), pin.Pin{Source: "tools/shlint.wasm", Digest: digest("a"), Size: 7, Manifest: digest("b")}, set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const want = `# What names stand for, so that everybody has the same. Made by wr: commit it.
# ` + "`wr build --update`" + ` resolves the images anew.
version = 1

[plugins]
[plugins.other]
digest = 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
manifest = 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
requests = 'sha256:REQUESTS'
size = 7
source = 'tools/shlint.wasm'
version = '1.2.0'

[plugins.shlint]
digest = 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
manifest = 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
requests = 'sha256:REQUESTS'
size = 7
source = 'tools/shlint.wasm'
version = '1.2.0'

[plugins.shlint.grants]
'exec:sh' = 'to parse them'
'fs.read:src/*.sh' = 'it lints "them"'

[plugins.shlint.limits]
files = 100
memory = '512MiB'
`

// root is an empty workspace.
func root(t *testing.T) (dir string, folder state.Folder) {
	t.Helper()
	dir = t.TempDir()
	folder, err := state.Root(dir, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return dir, folder
}

func TestPinsAreWrittenInOneForm(t *testing.T) {
	dir, folder := root(t)
	p := pinned(t, "fs.read:src/*.sh", "exec:sh")
	p.Limits = config.PluginLimits{Memory: 512 << 20, Files: 100}
	var file lock.File
	pin.Pins{"shlint": p, "other": pinned(t)}.Write(&file)
	if err := file.Write(folder); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, lock.Name))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.ReplaceAll(want, "sha256:REQUESTS", shlint().Requests().Digest()); string(got) != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	file, err = lock.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	pins, err := pin.Read(file)
	if err != nil || len(pins) != 2 {
		t.Fatalf("got %v, %v", pins, err)
	}
	if err := pins["shlint"].Check(shlint()); err != nil {
		t.Error(err)
	}
	pins.Write(&file)
	if err := file.Write(folder); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(filepath.Join(dir, lock.Name)); string(again) != string(got) {
		t.Errorf("read and written again it is:\n%s", again)
	}
	if at := pins["shlint"].Line("grants", "exec:sh"); at != 23 {
		t.Errorf("a grant is on line %d", at)
	}
}

func TestNothingIsGrantedThatIsNotAskedFor(t *testing.T) {
	for _, text := range []string{"git", "fs.read:**", "fs.read:.env", "exec:bash"} {
		_, err := pin.Of(shlint(), pin.Pin{}, capability.Set{abi.ParseCapability(text)})
		if f := fault.Of(err); err == nil || f.Code != "grant.unasked" || f.Next != "it asks for exec:sh, fs.read:**/*.sh" {
			t.Errorf("%s: got %+v", text, err)
		}
	}
}

// TestAHandThatEditsIsSeen changes one thing of a good wr.lock after the other.
func TestAHandThatEditsIsSeen(t *testing.T) {
	good := strings.ReplaceAll(want, "sha256:REQUESTS", shlint().Requests().Digest())
	for name, c := range map[string]struct {
		from, to, code string
		line           int
	}{
		"nothing":                      {"", "", "", 0},
		"a grant that is narrower":     {"src/*.sh", "src/a.sh", "", 0},
		"a grant of something else":    {"exec:sh", "exec:bash", "lock.widened", 23},
		"a grant of more":              {"src/*.sh", "**", "lock.widened", 24},
		"a grant of a secret":          {"src/*.sh", ".env", "lock.widened", 24},
		"a capability that is unknown": {"exec:sh", "sudo", "lock.bad_value", 23},
		"a reason that hides others":   {"'to parse them'", "\"to\\u001b[2K parse\"", "lock.bad_value", 23},
		"another reason":               {"to parse them", "to format them", "lock.reason", 23},
		"a digest that is none":        {"[plugins.shlint]\ndigest = 'sha256:a", "[plugins.shlint]\ndigest = 'sha256:A", "lock.bad_value", 15},
		"another version":              {"version = '1.2.0'\n\n[plugins.shlint.grants]", "version = '1.3.0'\n\n[plugins.shlint.grants]", "lock.version_differs", 20},
		"an unknown key":               {"files = 100", "filez = 100", "lock.unknown_key", 27},
		"a source elsewhere":           {"source = 'tools/shlint.wasm'\nversion = '1.2.0'\n\n[plugins.shlint.grants]", "source = '/tmp/x.wasm'\nversion = '1.2.0'\n\n[plugins.shlint.grants]", "lock.bad_value", 19},
		"a limit that makes no sense":  {"512MiB", "5", "lock.bad_value", 28},
		"no source":                    {"size = 7\nsource = 'tools/shlint.wasm'\nversion = '1.2.0'\n\n[plugins.shlint.grants]", "version = '1.2.0'\n\n[plugins.shlint.grants]", "lock.bad_value", 14},
	} {
		t.Run(name, func(t *testing.T) {
			dir, folder := root(t)
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good && c.from != "" {
				t.Fatal("nothing was changed")
			}
			if err := os.WriteFile(filepath.Join(dir, lock.Name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			file, err := lock.Read(folder)
			if err != nil {
				t.Fatal(err)
			}
			pins, err := pin.Read(file)
			if err == nil {
				err = pins["shlint"].Check(shlint())
			}
			switch f := fault.Of(err); {
			case c.code == "" && err != nil:
				t.Error(err)
			case c.code != "" && (f == nil || f.Code != c.code || f.Line != c.line || f.File != lock.Name || f.Class != fault.Usage):
				t.Errorf("got %+v, want %s at line %d", f, c.code, c.line)
			}
		})
	}
	if p := pinned(t, "exec:sh"); p.Requests == digest("a") || p.Check(shlint()) != nil {
		t.Errorf("a good pin: %v", p.Check(shlint()))
	} else if p.Requests = digest("a"); !fault.HasCode(p.Check(shlint()), "lock.requests") {
		t.Errorf("another digest of what is asked for: %v", p.Check(shlint()))
	}
	other := shlint()
	other.Capabilities = other.Capabilities[:1]
	if err := pinned(t).Check(other); !fault.HasCode(err, "lock.requests") {
		t.Errorf("a plugin that asks for less: %v", err)
	}
	other = shlint()
	other.Name = "fake"
	if err := pinned(t).Check(other); !fault.HasCode(err, "lock.name") {
		t.Errorf("a plugin of another name: %v", err)
	}
}

func TestANameThatIsNoneHasAHint(t *testing.T) {
	pins := pin.Pins{"shlint": {}, "deps": {}}
	if _, err := pins.Find("shlnt"); fault.Of(err).Hint != "shlint" || fault.Of(err).Next != "name one of deps, shlint" {
		t.Errorf("got %+v", fault.Of(err))
	}
	if _, err := (pin.Pins{}).Find("shlnt"); !fault.HasCode(err, "plugin.unknown") {
		t.Errorf("got %v", err)
	}
}
