//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const zshPrompt = "box:local /app/box# "

// TestAShellIsTheUsersZsh goes through all that a zsh gets of wr.
func TestAShellIsTheUsersZsh(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "testdata/zsh")
	if out, errs, code := w.run(dir, "build", "box"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	rc := `export GREETING=hello; setopt share_history; PROMPT='mine> '; alias greet='echo $GREETING'`
	if _, errs, code := w.run(dir, "exec", "box", "--", "sh", "-c", `echo "$1" >~/.zshrc; echo 'export EARLY=yes' >~/.zshenv`, "sh", rc); code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	s, end := w.shellOf(dir, "box")
	s.shows(zshPrompt)
	s.typed("echo it is $0 $EARLY $SHELL $ZDOTDIR\n")
	s.shows("it is /bin/zsh yes /bin/zsh /root")
	s.typed("greet; print remem''bered\n")
	s.shows("hello")
	s.shows("remembered")
	s.shows(zshPrompt)
	s.typed("kill -KILL $$\n")
	if got := end(); got != 137 {
		t.Errorf("exit %d, want 137", got)
	}
	text, err := os.ReadFile(filepath.Join(privateOf(dir, "box", shellFolder), "zsh_history"))
	if err != nil || !strings.Contains(string(text), "print remem''bered\n") {
		t.Errorf("the history is %q, %v", text, err)
	}
	if _, errs, code := w.run(dir, "stop", "box"); code != 0 {
		t.Fatalf("stop: exit %d\n%s", code, errs)
	}
	s, end = w.shellOf(dir, "box")
	s.shows(zshPrompt)
	s.typed("\x1b[A\x1b[A\n") // two lines up
	s.shows("remembered")
	s.shows(zshPrompt)
	s.typed("sh -c 'exit 9'\n")
	s.shows(zshPrompt)
	s.typed("\x04")
	if got := end(); got != 9 {
		t.Errorf("exit %d, want that of the last command, 9", got)
	}
	out, errs, exit := w.run(dir, "shell", "box", "--cmd", "print -P %n; echo aside >&2; exit 42")
	if out != "root\n" || errs != "aside\n" || exit != 42 {
		t.Errorf("got %q, %q, exit %d", out, errs, exit)
	}
	out, errs, exit = w.run(dir, "shell", "box", "--cmd", "false; echo $?; nothing-of-that-name")
	if out != "1\n" || !strings.Contains(errs, "command not found: nothing-of-that-name") || exit != 127 {
		t.Errorf("got %q, %q, exit %d", out, errs, exit)
	}
}
