//go:build linux && engine

package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// screen is a terminal with wr on it.
type screen struct {
	t    *testing.T
	file *os.File

	mu   sync.Mutex // guards the rest
	seen bytes.Buffer
	news chan struct{} // closed and replaced when there is more
}

// newScreen starts cmd on a terminal of its own and reads what it shows.
func newScreen(t *testing.T, cmd *exec.Cmd, size pty.Winsize) *screen {
	t.Helper()
	file, err := pty.StartWithSize(cmd, &size)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, file: file, news: make(chan struct{})}
	t.Cleanup(func() { _ = file.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := file.Read(buf)
			s.mu.Lock()
			s.seen.Write(buf[:n])
			close(s.news)
			s.news = make(chan struct{})
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return s
}

// typed sends keys.
func (s *screen) typed(keys string) {
	s.t.Helper()
	if _, err := s.file.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// shows waits until want has been shown since the last call.
func (s *screen) shows(want string) {
	s.t.Helper()
	if !s.showsWithin(want, 20*time.Second) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.t.Fatalf("never showed %q, but:\n%s", want, s.seen.String())
	}
}

// interrupted presses Ctrl-C and Enter until the shell asks for a command again.
// Why not once: a shell that brings a job to the foreground shows its name
// before it hands the terminal over, and with Ctrl-C the terminal throws away
// what is typed until somebody took notice.
func (s *screen) interrupted(prompt string) {
	s.t.Helper()
	for range 10 {
		s.typed("\x03")
		s.typed("\n")
		if s.showsWithin(prompt, 2*time.Second) {
			return
		}
	}
	s.shows(prompt)
}

// showsWithin reports whether want is shown in time since the last call.
func (s *screen) showsWithin(want string, limit time.Duration) bool {
	timeout := time.After(limit)
	for {
		s.mu.Lock()
		text, news := s.seen.String(), s.news
		if i := strings.Index(text, want); i >= 0 {
			s.seen.Next(i + len(want))
			s.mu.Unlock()
			return true
		}
		s.mu.Unlock()
		select {
		case <-news:
		case <-timeout:
			return false
		}
	}
}

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
