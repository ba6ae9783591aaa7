package attack

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixesTouchNothingElse has shady mend files that are not its own to mend.
func TestFixesTouchNothingElse(t *testing.T) {
	for name, target := range map[string]string{
		"outside":                "../outside/canary",
		"by an absolute path":    "/etc/hostname",
		"its own grants":         "wr.lock",
		"a link":                 "p/link.py",
		"a file not asked about": "p/b.txt",
		"what git keeps":         ".git/config",
		"a way around":           "p/../p/a.py",
		"nothing":                "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.link("ws/p/link.py", "../../outside/canary")
			f.write("ws/p/b.txt", "b")
			f.formatter(target)
			before := f.tree()
			r, o := f.lint("--fix")
			f.compare(before)
			if why := linted(r, "shady").Fault; o.code != 3 || why == nil || why.Code != "plugin.protocol" || !strings.Contains(why.Message, "wants to edit") || len(r.Fixed) > 0 {
				t.Errorf("exit %d, fixed %q, %v", o.code, r.Fixed, why)
			}
			if one := linted(r, "good"); one.Fault != nil || len(one.Diagnostics) != 1 {
				t.Errorf("the good plugin said %+v, %v", one.Diagnostics, one.Fault)
			}
		})
	}
}

// formatter adds shady as a plugin that changes files.
func (f *field) formatter(targets ...string) {
	f.t.Helper()
	f.module("shady", built.path("shady.wasm"), "")
	at := filepath.Join(f.ws, "tools/shady.wasm.toml")
	text, err := os.ReadFile(at)
	f.must(err)
	f.must(os.WriteFile(at, []byte(strings.Replace(string(text), "[provides]\n", "[provides]\nformat = { globs = [\"**/*.py\"] }\n", 1)), 0o600))
	f.set(map[string]any{"tries": targets})
	f.add("good")
	f.add("shady")
}

// TestAFixIsNotWrittenThroughAHardLink has shady mend a file that is one outside, too.
func TestAFixIsNotWrittenThroughAHardLink(t *testing.T) {
	t.Parallel()
	f := newField(t)
	f.must(os.Remove(filepath.Join(f.ws, "p/a.py")))
	f.must(os.Link(filepath.Join(f.top, "outside/canary"), filepath.Join(f.ws, "p/a.py")))
	f.formatter("p/a.py")
	r, o := f.lint("--fix")
	if len(r.Fixed) != 1 {
		t.Fatalf("exit %d, fixed %q: %s%s", o.code, r.Fixed, o.stdout, o.stderr)
	}
	for name, want := range map[string]string{"ws/p/a.py": "shady was here\nsings", "outside/canary": "sings"} {
		if got, err := os.ReadFile(filepath.Join(f.top, name)); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v", name, got, err)
		}
	}
}

// TestWhatAPluginSaysTakesOverNothing has shady speak to the terminal, and to GitHub.
func TestWhatAPluginSaysTakesOverNothing(t *testing.T) {
	for name, try := range map[string]string{
		"a log line":  `log "\x1b]0;mine\x07\n::add-mask::e"`,
		"a finding":   `say ` + answer + `{"diagnostics":[{"file":"p/a.py","severity":"error","rule":"\u001b[2J","message":"a\u001b[8m\n::add-mask::e"}]}}`,
		"a failure":   `say {"jsonrpc":"2.0","id":2,"error":{"code":1,"message":"\u001b[8m\n::add-mask::e"}}`,
		"a stray":     "say \x1b[8m",
		"a last word": `raw "{\"jsonrpc\":\"2.0\",\"\x1b[8m\n::add-mask::e"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			attack{tries: []string{try}, more: "stateless = true"}.arm(f)
			cmd := f.command("lint", "--recursive")
			cmd.Env = append(cmd.Env, "GITHUB_ACTIONS=true", "CI=true")
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState.ExitCode() != 1 && cmd.ProcessState.ExitCode() != 3 || strings.ContainsAny(string(out), "\x1b\x07") {
				t.Errorf("%v: %q", cmd.ProcessState, out)
			}
			obeysNothing(t, string(out))
		})
	}
}

// obeysNothing fails if GitHub would take a command of the plugin's.
func obeysNothing(t *testing.T, text string) {
	t.Helper()
	stopped, stops := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		token, stop := strings.CutPrefix(line, "::stop-commands::")
		switch {
		case stopped != "" && line == "::"+stopped+"::":
			stopped = ""
		case stopped == "" && stop:
			stopped = token
			stops++
		case stopped == "" && strings.HasPrefix(line, "::add-mask"):
			t.Errorf("GitHub obeys %q in\n%s", line, text)
		}
	}
	if stopped != "" || stops == 0 {
		t.Errorf("commands were stopped %d times, and stay %q:\n%s", stops, stopped, text)
	}
}
