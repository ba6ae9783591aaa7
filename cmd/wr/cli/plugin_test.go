package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/sandbox"
)

const addingManifest = `{"abi":"wr/1","name":"deps","version":"1.0.0","kind":"rpc","provides":{"discover":true},
"capabilities":[{"name":"git","reason":"to see what changed"},{"name":"exec","value":"sh","reason":"to look around"}]}`

// adding starts `wr plugin add` on a terminal, in a workspace of its own.
func adding(t *testing.T, env ...string) (s *screen, wait func() error, dir string) {
	t.Helper()
	dir = t.TempDir()
	packed, err := module.WithManifest(moduletest.Return().Bytes(), []byte(addingManifest))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"wr.toml": []byte("[workspace]\n"), "deps.wasm": packed, "policy.toml": []byte("[plugins]\ncapabilities = [\"git\"]\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := pluginProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "wr", "plugin", "add", "deps.wasm")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append([]string{"CI=", "WR_CACHE_DIR=" + filepath.Join(dir, "cache"), pluginProgramVariable + "=" + program}, env...)...)
	return newScreen(t, cmd, pty.Winsize{Rows: 40, Cols: 200}), cmd.Wait, dir
}

func TestWhoSitsAtTheTerminalIsAskedWhatAPluginMayDo(t *testing.T) {
	s, wait, dir := adding(t)
	s.shows("to look around")
	s.shows("Grant deps all of that")
	s.typed("y\n")
	s.shows("it is granted exec:sh, git")
	if err := wait(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "wr.lock")); err != nil || !strings.Contains(string(text), "'exec:sh' = 'to look around'") {
		t.Errorf("wr.lock is %s, %v", text, err)
	}
}

func TestNothingIsGrantedToAPluginWithoutAYes(t *testing.T) {
	for _, keys := range []string{"\n", "n\n", "\x04"} {
		s, wait, dir := adding(t)
		s.shows("[y/N]")
		s.typed(keys)
		s.shows("plugin.ungranted")
		if err := wait(); err == nil {
			t.Errorf("%q: it ended well", keys)
		}
		if _, err := os.Stat(filepath.Join(dir, "wr.lock")); err == nil {
			t.Errorf("%q: wr.lock was written", keys)
		}
	}
}

func TestAYesGrantsNothingThatAPolicyRefuses(t *testing.T) {
	s, wait, dir := adding(t, "WR_POLICY=policy.toml")
	s.shows("refused by policy.toml:2")
	s.shows("[y/N]")
	s.typed("y\n")
	s.shows("it is granted git")
	s.shows("refused by policy.toml:2: exec:sh (to look around)")
	if err := wait(); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "wr.lock")); err != nil || strings.Contains(string(text), "exec:sh") {
		t.Errorf("wr.lock is %s, %v", text, err)
	}
}

func TestAPluginThatCannotBeCompiledIsNotAdded(t *testing.T) {
	dir := t.TempDir()
	broken := moduletest.Command(1, nil, moduletest.Func{Code: []byte{0xff}})
	packed, err := module.WithManifest(broken.Bytes(), []byte(addingManifest))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "wr.toml", "[workspace]\n")
	write(t, dir, "deps.wasm", string(packed))
	program, err := pluginProgram()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "wr", "plugin", "add", "deps.wasm", "--yes")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CI=", "WR_CACHE_DIR="+filepath.Join(dir, "cache"), pluginProgramVariable+"="+program)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), sandbox.CodeCompile) {
		t.Errorf("got %s, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "wr.lock")); err == nil {
		t.Error("wr.lock was written")
	}
}
