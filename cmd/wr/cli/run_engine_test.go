//go:build linux && engine

package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// tasksOf is a copy of the example with more tasks in infra, whose image has a
// command of its own.
func tasksOf(t *testing.T) string {
	t.Helper()
	dir := workspaceCopy(t, "../../../examples/acme")
	appended := func(name, text string) error {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		return errors.Join(err, f.Close())
	}
	err := errors.Join(
		appended("infra/devops/Dockerfile", "WORKDIR /srv\nCMD [\"sh\", \"-c\", \"echo own in $PWD; exit 9\"]\n"),
		appended("apps/web/devops/Dockerfile", "CMD []\n"),
		appended("infra/wr.toml", `
[tasks.first]
run = "echo first >made; id -un"
[tasks.second]
run = 'cat made; tty; read answer; echo "got $answer"; exit 5'
needs = ["first", "apps/web:build"]
[tasks.slow]
run = "echo sleeping; exec sleep 600"
`))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTasksRunInTheirProjectsContainers(t *testing.T) {
	w := realWr(t)
	dir := tasksOf(t)
	before := w.census()
	out, errs, code := w.run(dir, "run", "infra:largest", "--top=2")
	if code != 0 || strings.Count(out, "\n") != 2 {
		t.Errorf("the example's task: exit %d, want two lines\n%s\n%s", code, out, errs)
	}
	if out, _, code := w.run(dir, "run", "infra:"); code != 9 || out != "own in /srv\n" {
		t.Errorf("the image's own command: exit %d with %q, want 9 and its own directory", code, out)
	}
	if _, errs, code := w.run(dir, "run", "apps/web:"); code != 125 || !strings.Contains(errs, "image.no_command") {
		t.Errorf("an image without a command: exit %d, want 125\n%s", code, errs)
	}
	if _, errs, code := w.run(dir, "run", "infra:largest", "--top=many"); code != 125 || !strings.Contains(errs, "task.bad_argument") {
		t.Errorf("a wrong argument: exit %d, want 125\n%s", code, errs)
	}
	w.leavesNothing(before)
}

func TestATaskHasItsCallersTerminal(t *testing.T) {
	w := realWr(t)
	dir := tasksOf(t)
	before := w.census()
	cmd := w.command(dir, "run", "infra:second")
	s := newScreen(t, cmd, pty.Winsize{Cols: 80, Rows: 24})
	s.shows("root")
	s.shows("first")
	s.shows("/dev/pts/")
	s.typed("yes\n")
	s.shows("got yes")
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 5 {
		t.Errorf("exit %d, want the task's own 5", code)
	}
	cmd = w.command(dir, "run", "infra:slow")
	s = newScreen(t, cmd, pty.Winsize{Cols: 80, Rows: 24})
	s.shows("sleeping")
	s.typed("\x03")
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d after Ctrl-C, want 130", code)
	}
	w.leavesNothing(before)
}
