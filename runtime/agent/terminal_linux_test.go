package agent

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

// screen is a command's terminal as its user sees it.
type screen struct {
	t       *testing.T
	session *Session
	keys    *os.File // what the user types
	out     *os.File // what the user sees
	end     *os.File // the other end of out
}

// open runs c on a terminal.
func (a *testAgent) open(t *testing.T, c Command, resize <-chan spec.Size) *screen {
	t.Helper()
	in, keys := pipe(t)
	out, w := pipe(t)
	c.Terminal = true
	c.Env = append(c.Env, "TERM=dumb", "PS1=ready> ", "ENV=", "HISTFILE=")
	s := a.start(c, spec.Stdio{In: in, Out: w, Resize: resize})
	return &screen{t: t, session: s, keys: keys, out: out, end: w}
}

// press types keys.
func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.keys.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// see waits for text and returns what came before and with it.
func (s *screen) see(text string) string {
	s.t.Helper()
	return readUntil(s.t, s.out, text)
}

// rest waits for the end and returns what was still to be seen.
func (s *screen) rest() (string, spec.Exit) {
	s.t.Helper()
	exit := wait(s.t, s.session)
	s.end.Close()
	rest, _ := io.ReadAll(s.out)
	return string(rest), exit
}

func TestTerminalIsTheCommandsOwnAndControlling(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`readlink /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2; echo direct >/dev/tty; tty; exit 3`), nil)
	got, exit := s.rest()
	all := strings.Split(strings.TrimSuffix(got, "\r\n"), "\r\n")
	if len(all) != 5 || all[3] != "direct" || exit.Code != 3 {
		t.Fatalf("got %q, %+v", got, exit)
	}
	for _, name := range []string{all[1], all[2], all[4]} {
		if name != all[0] || !strings.HasPrefix(name, "/dev/pts/") {
			t.Errorf("got %q", all)
		}
	}
}

func TestTerminalHasTheSizeAskedForAndThenNewOnes(t *testing.T) {
	a := startAgent(t)
	resize := make(chan spec.Size)
	c := shell(`trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done`)
	c.Size = spec.Size{Cols: 101, Rows: 31}
	s := a.open(t, c, resize)
	s.see("31 101\r\n")
	if err := s.session.Resize(spec.Size{Cols: 90, Rows: 20}); err != nil {
		t.Fatal(err)
	}
	s.see("20 90\r\n")
	resize <- spec.Size{Cols: 300, Rows: 100}
	s.see("100 300\r\n")
	close(resize)
	s.press("\x03")
	s.rest()
}

func TestTerminalWithoutASizeIsUsual(t *testing.T) {
	a := startAgent(t)
	if got, _ := a.open(t, program("stty", "size"), nil).rest(); got != "24 80\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestResizeStormDoesNotDisturb(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, program("cat"), nil)
	for i := range 2000 {
		if err := s.session.Resize(spec.Size{Cols: uint16(i + 1), Rows: 5}); err != nil {
			t.Fatal(err)
		}
	}
	s.press("still here\n\x04")
	if got, exit := s.rest(); got != "still here\r\nstill here\r\n" || exit.Code != 0 {
		t.Errorf("got %q, %+v", got, exit)
	}
}

func TestCtrlCInterruptsTheForegroundOnly(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`trap 'echo parent saw it' INT; sh -c 'echo $$; exec sleep 1000'; echo code $?`), nil)
	s.see("\r\n")
	s.press("\x03")
	if got, exit := s.rest(); got != "^Cparent saw it\r\ncode 130\r\n" || exit.Code != 0 {
		t.Errorf("got %q, %+v", got, exit)
	}
}

func TestCtrlDEndsTheInput(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`stty -echo; echo go; cat; echo end`), nil)
	s.see("go\r\n")
	s.press("text\n\x04")
	if got, exit := s.rest(); got != "text\r\nend\r\n" || exit.Code != 0 {
		t.Errorf("got %q, %+v", got, exit)
	}
}

func TestEndOfInputEndsTheTerminalsInput(t *testing.T) {
	a := startAgent(t)
	for _, text := range []string{"", "line\n", "no newline"} {
		s := a.open(t, shell(`stty -echo; echo go; cat; echo; echo end`), nil)
		s.see("go\r\n")
		s.press(text)
		s.keys.Close()
		want := strings.ReplaceAll(text, "\n", "\r\n") + "\r\nend\r\n"
		if got, exit := s.rest(); got != want || exit.Code != 0 {
			t.Errorf("%q: got %q, %+v", text, got, exit)
		}
	}
}

func TestInteractiveShellHasJobControl(t *testing.T) {
	a := startAgent(t)
	job := filepath.Join(t.TempDir(), "job")
	if err := os.WriteFile(job, []byte("#!/bin/sh\ntrap 'echo goes on' CONT\necho job runs\nwhile :; do read line; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sh", "bash"} {
		t.Run(name, func(t *testing.T) {
			args := []string{name, "-i"}
			if name == "bash" {
				args = []string{name, "--norc", "--noprofile", "--noediting", "-i"}
			}
			s := a.open(t, program(args...), nil)
			if got := s.see("ready> "); strings.Contains(got, "job control") {
				t.Fatalf("got %q", got)
			}
			s.press(job + "\n")
			s.see("\njob runs\r\n")
			s.press("\x1a")
			if got := s.see("ready> "); !strings.Contains(got, "Stopped") {
				t.Errorf("Ctrl-Z: got %q", got)
			}
			s.press("fg\n")
			s.see("\ngoes on\r\n") // and so is in the foreground
			_ = s.session.Signal(syscall.SIGINT)
			eventually(t, "the job is gone", func() bool { return !hasChild(s.session.PID()) })
			s.press("\necho code $?; exit 7\n")
			if got, exit := s.rest(); exit.Code != 7 {
				t.Errorf("got %q, %+v", got, exit)
			}
		})
	}
}

// hasChild tells whether a process has a living child.
func hasChild(pid int) bool {
	for _, p := range processes() {
		if p.parent == pid && !p.dead {
			return true
		}
	}
	return false
}

func TestAllOutputArrivesBeforeTheExit(t *testing.T) {
	a := startAgent(t)
	for range 20 {
		s := a.open(t, shell(`stty -opost; seq 1 30000; printf last`), nil)
		got := make(chan string)
		go func() {
			data, _ := io.ReadAll(s.out)
			got <- string(data)
		}()
		if exit := wait(t, s.session); exit.Code != 0 {
			t.Fatalf("got %+v", exit)
		}
		s.end.Close()
		if text := <-got; !strings.HasSuffix(text, "\n29999\n30000\nlast") || len(text) != 168894+4 {
			t.Fatalf("got %d bytes that end in %q", len(text), text[max(0, len(text)-20):])
		}
	}
}

func TestSlowReaderGetsAllOutputOfACommandThatEnded(t *testing.T) {
	a := startAgent(t)
	// The command's output fits into the terminal and the pipe, so that it
	// ends while nobody has read anything.
	s := a.open(t, shell(`stty -opost; seq 1 12000`), nil)
	eventually(t, "the command has ended", func() bool { return !lives(s.session.PID()) })
	got := make(chan string)
	go func() {
		data, _ := io.ReadAll(s.out)
		got <- string(data)
	}()
	wait(t, s.session)
	s.end.Close()
	if text := <-got; !strings.HasSuffix(text, "\n12000\n") || len(text) != 60894 {
		t.Errorf("got %d bytes that end in %q", len(text), text[max(0, len(text)-20):])
	}
}

func TestOutputGoesOnWhileTheCommandHasItsTerminalClosed(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`exec </dev/null >/dev/null 2>&1; sleep 0.2; echo again >/dev/tty`), nil)
	if got, exit := s.rest(); got != "again\r\n" || exit.Code != 0 {
		t.Errorf("got %q, %+v", got, exit)
	}
}

func TestBackgroundJobDoesNotDelayTheEndOfATerminal(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`trap "" HUP; sleep 1000 & echo $!; setsid sleep 1000 & echo $!; sleep 0.1; exit 2`), nil)
	l := lines{t, s.out}
	l.t = t
	job := parsePID(t, l)
	daemon := parsePID(t, l)
	if _, exit := s.rest(); exit.Code != 2 {
		t.Errorf("got %+v", exit)
	}
	eventually(t, "the job is gone", func() bool { return !lives(job) })
	if !lives(daemon) {
		t.Error("the daemon is gone, too")
	}
}

// parsePID is lines.pid for a terminal, whose lines end in CR LF.
func parsePID(t *testing.T, l lines) int {
	t.Helper()
	r, w := pipe(t)
	io.WriteString(w, strings.TrimSuffix(l.line(), "\r")+"\n")
	return lines{t, r}.pid()
}

func TestInputAfterTheExitIsLeftToOthers(t *testing.T) {
	a := startAgent(t)
	in, keys := pipe(t)
	c := program("true")
	c.Terminal = true
	for range 20 {
		wait(t, a.start(c, spec.Stdio{In: in}))
		io.WriteString(keys, "for the next one\n")
		if got := (lines{t, in}).line(); got != "for the next one" {
			t.Fatalf("got %q", got)
		}
	}
}

func TestLostReaderHangsTheCommandUp(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, shell(`trap 'exit 9' HUP; while :; do echo yes; done`), nil)
	s.see("yes")
	s.out.Close()
	if exit := wait(t, s.session); exit.Code != 9 {
		t.Errorf("got %+v", exit)
	}
}

func TestClosedConnectionHangsTheTerminalUp(t *testing.T) {
	a := startAgent(t)
	s := a.open(t, program("bash", "--norc", "--noprofile", "--noediting", "-i"), nil)
	s.see("ready> ")
	s.press("sh -c 'echo job runs; trap \"\" INT; sleep 1000'\n")
	s.see("\njob runs\r\n")
	s.session.Close()
	eventually(t, "the session is gone", func() bool {
		for _, p := range processes() {
			if p.session == s.session.PID() && !p.dead {
				return false
			}
		}
		return true
	})
}

func TestTerminalWithoutARequestedOneIsNotGiven(t *testing.T) {
	a := startAgent(t)
	if got := a.run(shell(`(: </dev/tty) 2>/dev/null && echo has one || echo has none`), ""); got.stdout != "has none\n" {
		t.Errorf("got %+v", got)
	}
}
