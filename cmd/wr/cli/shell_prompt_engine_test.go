//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// shell starts wr shell in the project apps/web on a terminal. Variables come
// over those of environ.
func (w real) shell(dir string, variables ...string) (s *screen, end func() int) {
	w.t.Helper()
	return w.shellOf(dir, "apps/web", variables...)
}

// shellOf is shell in any project.
func (w real) shellOf(dir, project string, variables ...string) (s *screen, end func() int) {
	w.t.Helper()
	cmd := w.command(dir, "shell", project)
	cmd.Env = append(cmd.Env, append([]string{"TERM=xterm"}, variables...)...)
	s = newScreen(w.t, cmd, pty.Winsize{Cols: 100, Rows: 30})
	return s, func() int {
		w.t.Helper()
		hung := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		defer hung.Stop()
		return code(w.t, cmd.Wait())
	}
}

// lived is a copy of the example whose project apps/web is built. At the end of
// the test nothing is left of its containers.
func lived(t *testing.T) (w real, dir string) {
	t.Helper()
	w = realWr(t)
	dir = workspaceCopy(t, "../../../examples/acme")
	if out, errs, code := w.run(dir, "build", "apps/web"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	return w, dir
}

const webPrompt = "apps/web:local /app/apps/web# "

func TestTheHistoryOfAShellOutlivesItsContainer(t *testing.T) {
	w, dir := lived(t)
	s, end := w.shell(dir)
	s.shows(webPrompt)
	s.typed("echo remem''bered\n")
	s.shows("remembered")
	s.typed("exit\n")
	if got := end(); got != 0 {
		t.Errorf("exit %d", got)
	}
	history := filepath.Join(privateOf(dir, "apps/web", shellFolder), "bash_history")
	for path, want := range map[string]os.FileMode{history: 0o600, filepath.Dir(history): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", path, info, err, want)
		}
	}
	if _, errs, code := w.run(dir, "stop", "apps/web"); code != 0 {
		t.Fatalf("stop: exit %d\n%s", code, errs)
	}
	s, end = w.shell(dir)
	s.shows(webPrompt)
	s.typed("\x1b[A\x1b[A\n") // two lines up
	s.shows("remembered")
	s.typed("exit\n")
	end()
}

func TestAKilledShellHasKeptItsHistory(t *testing.T) {
	w, dir := lived(t)
	s, end := w.shell(dir)
	s.typed("echo remem''bered\n")
	s.shows("remembered")
	s.shows(webPrompt)
	s.typed("kill -KILL $$\n")
	if got := end(); got != 137 {
		t.Errorf("exit %d, want 137", got)
	}
	text, err := os.ReadFile(filepath.Join(privateOf(dir, "apps/web", shellFolder), "bash_history"))
	if err != nil || !strings.Contains(string(text), "echo remem''bered\n") {
		t.Errorf("the history is %q, %v", text, err)
	}
}

func TestControlDEndsAShellAndJobsCanBeMovedAbout(t *testing.T) {
	w, dir := lived(t)
	s, end := w.shell(dir)
	s.typed(sleeps)
	s.shows("sleeping")
	s.typed("\x1a")
	s.shows("Stopped")
	s.typed("bg; jobs\n")
	s.shows("Running")
	s.typed("fg\n")
	s.shows("\rsh -c")
	s.interrupted(webPrompt)
	s.typed("echo ended wi''th $?\n")
	s.shows("ended with 130")
	s.typed("sh -c 'echo ni\"\"ne; exit 9'\n")
	s.shows("nine")
	s.shows(webPrompt)
	s.typed("\x04")
	if got := end(); got != 9 {
		t.Errorf("exit %d, want that of the last command, 9", got)
	}
}

func TestAStormOfResizesEndsWithTheLastSize(t *testing.T) {
	w, dir := lived(t)
	s, end := w.shell(dir)
	s.shows(webPrompt)
	for i := range uint16(1000) {
		if err := pty.Setsize(s.file, &pty.Winsize{Cols: 40 + i%100, Rows: 20 + i%30}); err != nil {
			t.Fatal(err)
		}
	}
	if err := pty.Setsize(s.file, &pty.Winsize{Cols: 77, Rows: 22}); err != nil {
		t.Fatal(err)
	}
	s.typed("until stty size | grep '22 77'; do :; done; echo resi''zed; exit\n")
	s.shows("resized")
	end()
}

func TestAShellHasColoursAsItsTerminalHas(t *testing.T) {
	w, dir := lived(t)
	s, end := w.shell(dir, "NO_COLOR=", "COLORTERM=truecolor", "TERM=xterm-256color")
	s.shows("\x1b[1;36mapps/web:local\x1b[0m")
	s.typed("echo it is $TERM\n")
	s.shows("it is xterm-256color")
	s.typed("printenv COLORTERM; exit\n")
	s.shows("truecolor")
	end()
}

func TestAStringRunsAsIfItHadBeenTyped(t *testing.T) {
	w, dir := lived(t)
	_, errs, exit := w.run(dir, "exec", "apps/web", "--", "sh", "-c", `echo 'alias greet="echo hello"' >>~/.bashrc`)
	if exit != 0 {
		t.Fatalf("exit %d\n%s", exit, errs)
	}
	out, errs, exit := w.run(dir, "shell", "apps/web", "--cmd", "greet; echo aside >&2; exit 42")
	if out != "hello\n" || errs != "aside\n" || exit != 42 {
		t.Errorf("got %q, %q, exit %d", out, errs, exit)
	}
	out, errs, exit = w.run(dir, "shell", "apps/web", "--cmd", "false; echo $?; nothing-of-that-name")
	if out != "1\n" || !strings.Contains(errs, "not found") || exit != 127 {
		t.Errorf("got %q, %q, exit %d", out, errs, exit)
	}
}

func TestWithoutBashAShellIsSh(t *testing.T) {
	w, dir := lived(t)
	if _, errs, exit := w.run(dir, "exec", "apps/web", "--", "mv", "/bin/bash", "/bin/bash.off"); exit != 0 {
		t.Fatalf("exit %d\n%s", exit, errs)
	}
	out, errs, exit := w.run(dir, "shell", "apps/web", "--cmd", "echo $0 $SHELL; exit 6")
	if out != "/bin/sh /bin/sh\n" || errs != "" || exit != 6 {
		t.Errorf("got %q, %q, exit %d", out, errs, exit)
	}
	s, end := w.shell(dir)
	s.shows("apps/web:local /app/apps/web$ ")
	s.typed("exit 5\n")
	if got := end(); got != 5 {
		t.Errorf("exit %d, want 5", got)
	}
}

func TestAShellSpeaksTheLanguagesThatItsImageKnows(t *testing.T) {
	w, dir := lived(t)
	for name, test := range map[string]struct {
		host []string
		want string // LANG, LC_ALL, LC_TIME
	}{
		"one that the image has":        {[]string{"LANG=POSIX", "LC_TIME=C.utf8"}, "C.UTF-8,,C.utf8"},
		"one that it spells otherwise":  {[]string{"LANG=C.utf-8"}, "C.utf-8,,"},
		"one that it does not have":     {[]string{"LANG=de_XX.UTF-8", "LC_ALL=xx_YY.UTF-8", "LC_TIME=xx_YY"}, "C.UTF-8,,"},
		"none":                          {nil, "C.UTF-8,,"},
		"the lack of one is not passed": {[]string{"LANG=C", "LC_ALL=C"}, "C.UTF-8,,"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := w.command(dir, "shell", "apps/web", "--cmd", `echo "$LANG,$LC_ALL,$LC_TIME"`)
			cmd.Env = slices.DeleteFunc(cmd.Env, func(kv string) bool { return strings.HasPrefix(kv, "LANG=") || strings.HasPrefix(kv, "LC_") })
			cmd.Env = append(cmd.Env, test.host...)
			out, err := cmd.CombinedOutput()
			if err != nil || string(out) != test.want+"\n" {
				t.Errorf("got %q, %v, want %q", out, err, test.want)
			}
		})
	}
}
