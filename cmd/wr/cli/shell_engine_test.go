//go:build linux && engine

package cli

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/creack/pty"
)

// sleeps is a command that ends by Ctrl-C whenever it comes. Why no Python: a
// signal between its last look for one and the system call that sleeps does not
// wake it, on any terminal.
const sleeps = `sh -c 'echo slee""ping; exec sleep 600'` + "\n"

func TestAShellIsARealTerminal(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	cmd := w.command(dir, "shell", "apps/web")
	cmd.Env = append(cmd.Env, "TERM=xterm")
	s := newScreen(t, cmd, pty.Winsize{Cols: 91, Rows: 33})
	s.typed("stty size; pwd; tty\n")
	s.shows("33 91")
	s.shows("/app/apps/web")
	s.shows("/dev/pts/")
	if err := pty.Setsize(s.file, &pty.Winsize{Cols: 70, Rows: 20}); err != nil {
		t.Fatal(err)
	}
	s.typed("until stty size | grep '20 70'; do :; done; echo resi''zed\n")
	s.shows("resized")
	s.typed(sleeps)
	s.shows("sleeping")
	s.interrupted(webPrompt) // Ctrl-C ends the command, not the shell
	s.typed("echo ended wi''th $?\n")
	s.shows("ended with 130")
	s.typed(sleeps)
	s.shows("sleeping")
	s.typed("\x1a") // Ctrl-Z stops it
	s.shows("Stopped")
	s.typed("kill -KILL %1\nexit 7\nexit 7\n") // bash warns once while it has a stopped job
	hung := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer hung.Stop()
	err := cmd.Wait()
	if exited, ok := errors.AsType[*exec.ExitError](err); !ok || exited.ExitCode() != 7 {
		t.Errorf("the shell ended with %v, want its own code 7", err)
	}
	w.leavesNothing(before)
}
