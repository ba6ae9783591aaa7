package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"
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

// isAsFound says what is wrong if the terminal's modes are not those of a new one.
func (s *screen) isAsFound() {
	s.t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	want, err := term.GetState(int(master.Fd()))
	got, err2 := term.GetState(int(s.file.Fd()))
	if err := errors.Join(err, err2); err != nil || !reflect.DeepEqual(got, want) {
		s.t.Errorf("the terminal is left in another mode: %+v, new ones have %+v, %v", got, want, err)
	}
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
