package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/creack/pty"
)

// TestShellsCompleteNames presses Tab in those shells that this machine has.
func TestShellsCompleteNames(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"wr.toml": "[workspace]\n[images.e2e]\nref = \"e2e:1\"\n", ".wr/runs/20261123-021533-ab12/events.ndjson": "", "web/wr.toml": "[project]\n[tasks.serve]\nrun = \"serve\"\nargs = [{name = \"log_level\", type = \"choice\", choices = [\"debug\", \"warn\"]}]\n[lint.ruff]\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, shell := range map[string]struct {
		args []string
		load string
	}{
		"bash": {[]string{"--norc", "--noprofile", "-i"}, "source <(wr completion -c bash)"},
		"zsh":  {[]string{"-f", "-i"}, "source <(wr completion -c zsh)"},
		"fish": {[]string{"--no-config", "-i", "-C", "function fish_prompt; echo 'ready> '; end"}, "wr completion -c fish | source"},
	} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skip("this machine has no " + name)
			}
			cmd := exec.Command(path, shell.args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PS1=ready> ", "TERM=xterm", "HOME="+t.TempDir())
			s := newScreen(t, cmd, pty.Winsize{Cols: 100, Rows: 30})
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			s.shows("ready> ")
			s.typed(shell.load + "\n")
			for typed, want := range map[string]string{
				"run web:se": "run web:serve", "run web:": "run web:serve", "run we": "run web:serve", "run web:serve --log": "run web:serve --log-level",
				"run web:serve --log-level=d": "run web:serve --log-level=debug", "run web:serve --log-level d": "run web:serve --log-level debug",
				"run --fresh web:serve --log": "run --fresh web:serve --log-level", "-C web run ser": "-C web run serve", "config --o": "config --origin",
				"test we": "test web", "test e2": "test e2", "build e2": "build e2e", "exec we": "exec web", "lint --linter ru": "lint --linter ruff", "ver": "version", "report lat": "report latest", "report diff 2026": "report diff 20261123-021533-ab12",
			} {
				s.shows("ready> ")
				s.typed("wr " + typed + "\t\x01echo \"wou\"\"ld: \x05\"\n") // as words, not run
				s.shows("would: wr " + want)
			}
		})
	}
}
