package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

func TestExitIsWhatAShellWouldSay(t *testing.T) {
	a := startAgent(t)
	tests := []struct {
		script       string
		code, signal int
	}{
		{"exit 0", 0, 0},
		{"exit 3", 3, 0},
		{"exit 255", 255, 0},
		{"kill -KILL $$", 137, 9},
		{"kill -TERM $$", 143, 15},
		{"kill -SEGV $$", 139, 11},
	}
	for _, tt := range tests {
		t.Run(tt.script, func(t *testing.T) {
			got := a.run(shell(tt.script), "").exit
			if got.Code != tt.code || got.Signal != tt.signal || got.Elapsed <= 0 {
				t.Errorf("got %+v, want code %d, signal %d", got, tt.code, tt.signal)
			}
		})
	}
}

func TestStdioIsTheCallersOwn(t *testing.T) {
	a := startAgent(t)
	got := a.run(shell("cat; echo err >&2; exit 4"), "in\n")
	if got.stdout != "in\n" || got.stderr != "err\n" || got.exit.Code != 4 {
		t.Errorf("got %+v", got)
	}
}

func TestMissingStdioIsNull(t *testing.T) {
	a := startAgent(t)
	out := newCapture(t)
	s := a.start(shell("cat; readlink /proc/self/fd/0; echo lost >&2"), spec.Stdio{Out: out.w})
	if exit := wait(t, s); exit.Code != 0 {
		t.Errorf("got %+v", exit)
	}
	if got := out.String(); got != "/dev/null\n" {
		t.Errorf("got %q", got)
	}
}

func TestArgumentsEnvironmentAndDirectoryHoldAnyBytes(t *testing.T) {
	a := startAgent(t)
	odd := "a \xff\xfe\n\u00e9<&>\""
	dir := t.TempDir() + "/" + strings.ReplaceAll(odd, "/", "")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := shell(`printf '%s|%s|' "$1" "$V"; pwd -P`, odd)
	c.Env, c.Dir = []string{"V=" + odd}, dir
	if got, want := a.run(c, "").stdout, odd+"|"+odd+"|"+dir+"\n"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRequestEnvironmentLiesOverTheContainers(t *testing.T) {
	a := startAgent(t)
	c := shell(`echo "$WR_TEST_OWN $NEW $TWICE ${WR_TEST_AGENT_SOCKET-unset}"`)
	c.Env = []string{"NEW=new", "TWICE=1", "TWICE=2"}
	if got := a.run(c, "").stdout; got != "own new 2 unset\n" {
		t.Errorf("got %q", got)
	}
	c.Env = []string{"WR_TEST_OWN=other"}
	if got := a.run(c, "").stdout; got != "other   unset\n" {
		t.Errorf("got %q", got)
	}
}

func TestHundredMegabytesThroughPipes(t *testing.T) {
	a := startAgent(t)
	const size = 100 << 20
	in, feed := pipe(t)
	out, w := pipe(t)
	go func() {
		io.CopyN(feed, rand.NewChaCha8([32]byte{}), size)
		feed.Close()
	}()
	s := a.start(program("cat"), spec.Stdio{In: in, Out: w})
	in.Close()
	w.Close()
	want := rand.NewChaCha8([32]byte{})
	got, expected := make([]byte, 1<<20), make([]byte, 1<<20)
	for i := range size >> 20 {
		if _, err := io.ReadFull(out, got); err != nil {
			t.Fatal(err)
		}
		io.ReadFull(want, expected)
		if string(got) != string(expected) {
			t.Fatalf("megabyte %d is damaged", i)
		}
	}
	if n, _ := io.Copy(io.Discard, out); n != 0 {
		t.Errorf("%d bytes too many", n)
	}
	if exit := wait(t, s); exit.Code != 0 {
		t.Errorf("got %+v", exit)
	}
}

func TestTwoHundredCommandsAtOnce(t *testing.T) {
	a := startAgent(t)
	in, feed := pipe(t)
	var running sync.WaitGroup
	var sessions []*Session
	for i := range 200 {
		s := a.start(shell(`read line; exit $1`, strconv.Itoa(i%100)), spec.Stdio{In: in})
		sessions = append(sessions, s)
	}
	feed.Close() // all run; now all end at once
	for i, s := range sessions {
		running.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if exit, err := s.Wait(ctx); err != nil || exit.Code != i%100 {
				t.Errorf("command %d: got %+v, %v", i, exit, err)
			}
		})
	}
	running.Wait()
	// And a storm of short ones, which start and end across each other.
	for i := range 200 {
		running.Go(func() {
			conn, err := wire.Dial(a.socket)
			if err != nil {
				t.Error(err)
				return
			}
			s, err := Start(conn, shell("exit $1", strconv.Itoa(i%100)), spec.Stdio{})
			if err != nil {
				t.Error(err)
				return
			}
			if exit, err := s.Wait(t.Context()); err != nil || exit.Code != i%100 {
				t.Errorf("command %d: got %+v, %v", i, exit, err)
			}
		})
	}
	running.Wait()
}

func TestManyCommandsLeaveNoDescriptorInTheAgent(t *testing.T) {
	a := startAgent(t)
	count := func() int {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", a.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	a.run(program("true"), "")
	before := count()
	for range 20 {
		a.run(program("true"), "")
		terminal := program("true")
		terminal.Terminal = true
		wait(t, a.start(terminal, spec.Stdio{}))
		if _, err := Start(a.dial(), program("/no/such"), spec.Stdio{}); err == nil {
			t.Fatal("started nothing")
		}
	}
	eventually(t, "all descriptors are closed", func() bool { return count() <= before })
}

// libcOwn are the signals 32 and 33, which the C library keeps for itself and
// Go cannot change. Whoever starts these tests may have ignored them.
const libcOwn = 3 << 31

func TestChildStartsClean(t *testing.T) {
	// The agent itself starts with ignored signals, another umask and an open file.
	a := startAgent(t, "sh", "-c", `trap "" HUP INT QUIT PIPE TSTP TTIN TTOU USR1 CHLD; umask 077; exec "$0" 7</etc/passwd`)
	t.Run("signals have their default dispositions and none is blocked", func(t *testing.T) {
		got := a.run(program("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), "").stdout
		for line := range strings.Lines(got) {
			name, mask, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			set, err := strconv.ParseUint(mask, 16, 64)
			if err != nil || set&^libcOwn != 0 {
				t.Errorf("%s is %s (%v)", name, mask, err)
			}
		}
		if strings.Count(got, "\n") != 2 {
			t.Errorf("got %q", got)
		}
	})
	t.Run("umask is 022", func(t *testing.T) {
		if got := a.run(shell("umask"), "").stdout; got != "0022\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("no descriptor but stdio is open", func(t *testing.T) {
		// ls has the directory itself open, as number 3.
		if got := a.run(program("ls", "/proc/self/fd"), "").stdout; got != "0\n1\n2\n3\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("it leads a session", func(t *testing.T) {
		got := strings.Fields(a.run(program("cat", "/proc/self/stat"), "").stdout)
		if pid, group, session := got[0], got[4], got[5]; pid != group || pid != session {
			t.Errorf("pid %s, group %s, session %s", pid, group, session)
		}
	})
	t.Run("pipes block", func(t *testing.T) {
		got := a.run(shell("cat /proc/self/fdinfo/0 /proc/self/fdinfo/1"), "").stdout
		for line := range strings.Lines(got) {
			flags, ok := strings.CutPrefix(line, "flags:")
			if n, err := strconv.ParseInt(strings.TrimSpace(flags), 8, 64); ok && (err != nil || n&syscall.O_NONBLOCK != 0) {
				t.Errorf("flags %s, %v", flags, err)
			}
		}
	})
}

func TestSignalsReachTheProcessGroup(t *testing.T) {
	a := startAgent(t)
	out, w := pipe(t)
	signals := make(chan os.Signal, 1)
	s := a.start(shell(`trap 'echo one' USR1; trap 'echo two' USR2; trap 'echo end; exit 6' INT
		sh -c 'trap "" USR1 USR2; trap "echo child; exit" INT; echo ready; while :; do sleep 0.01; done' &
		while :; do wait; done`), spec.Stdio{Out: w, Signals: signals})
	l := lines{t, out}
	l.line()
	_ = s.Signal(syscall.SIGUSR1)
	if got := l.line(); got != "one" {
		t.Errorf("got %q", got)
	}
	signals <- syscall.SIGUSR2
	if got := l.line(); got != "two" {
		t.Errorf("got %q", got)
	}
	close(signals)
	if err := s.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if exit := wait(t, s); exit.Code != 6 {
		t.Errorf("got %+v", exit)
	}
	w.Close()
	rest, _ := io.ReadAll(out)
	if got := string(rest); got != "end\nchild\n" && got != "child\nend\n" && got != "end\n" {
		t.Errorf("got %q", got)
	}
}

func TestSignalsToTheAgentReachTheCommands(t *testing.T) {
	a := startAgent(t)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			s := a.start(program("sleep", "1000"), spec.Stdio{})
			if err := a.cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if exit := wait(t, s); exit.Signal != int(sig) {
				t.Errorf("got %+v", exit)
			}
		})
	}
}

func TestSocketIsForItsOwnerOnly(t *testing.T) {
	a := startAgent(t)
	info, err := os.Stat(a.socket)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode(); got != os.ModeSocket|0o600 {
		t.Errorf("got %v", got)
	}
}

func TestBadClientsGetAnAnswerAndDoNoHarm(t *testing.T) {
	a := startAgent(t)
	good := Request{Version: Version, Args: []Text{"true"}, Dir: "/"}
	change := func(f func(*Request)) Request { r := good; f(&r); return r }
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	tests := []struct {
		name    string
		message any
		files   int
		code    string
		text    string
	}{
		{"older version", change(func(r *Request) { r.Version = 0 }), 3, VersionSkew, fmt.Sprintf("speaks version %d of the protocol, this wr speaks 0", Version)},
		{"newer version of another shape", map[string]any{"version": Version + 1, "args": 7}, 0, VersionSkew, fmt.Sprintf("this wr speaks %d", Version+1)},
		{"no object", []int{1}, 0, BadRequest, "no version"},
		{"args of another kind", map[string]any{"version": Version, "args": 7}, 3, BadRequest, "damaged"},
		{"args not base64", map[string]any{"version": Version, "args": []string{"?"}}, 3, BadRequest, "damaged"},
		{"no command", change(func(r *Request) { r.Args = nil }), 3, BadRequest, "names no command"},
		{"relative directory", change(func(r *Request) { r.Dir = "tmp" }), 3, BadRequest, "not absolute"},
		{"NUL byte", change(func(r *Request) { r.Env = []Text{"A=\x00"} }), 3, BadRequest, "NUL"},
		{"no such user", change(func(r *Request) { r.UID = -1 }), 3, BadRequest, "no user -1:0"},
		{"no such group", change(func(r *Request) { r.Groups = []int{1 << 40} }), 3, BadRequest, "no group"},
		{"no files", good, 0, BadRequest, "0 files instead of 3"},
		{"too many files", good, 4, BadRequest, "4 files instead of 3"},
		{"terminal and files", change(func(r *Request) { r.Terminal = true }), 3, BadRequest, "3 files instead of 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := a.dial()
			files := []*os.File{null, null, null, null}[:tt.files]
			if err := conn.Send(tt.message, files...); err != nil {
				t.Fatal(err)
			}
			var reply Reply
			if _, err := conn.Receive(&reply); err != nil {
				t.Fatal(err)
			}
			if reply.Error == nil || reply.Error.Code != tt.code || !strings.Contains(reply.Error.Message, tt.text) {
				t.Errorf("got %+v", reply.Error)
			}
			if _, err := conn.Receive(&reply); err != io.EOF {
				t.Errorf("the connection goes on: %v", err)
			}
		})
	}
	for _, garbage := range []string{"", "\x00", "\x00\x00\x00\x05hell", "GET / HTTP/1.0\r\n\r\n", "\x00\x00\x00\x03abc", strings.Repeat("\xff", 1<<16)} {
		conn := a.dial()
		go func() {
			conn.Unix().Write([]byte(garbage))
			conn.Unix().CloseWrite()
		}()
		io.Copy(io.Discard, conn.Unix())
	}
	if got := a.run(shell("echo fine"), "").stdout; got != "fine\n" {
		t.Errorf("afterwards: got %q", got)
	}
}

func TestGarbageAfterTheRequestEndsOnlyThatCommand(t *testing.T) {
	a := startAgent(t)
	other := a.start(program("sleep", "1000"), spec.Stdio{})
	out, w := pipe(t)
	conn := a.dial()
	if _, err := Start(conn, shell("echo $$; exec sleep 1000"), spec.Stdio{Out: w}); err != nil {
		t.Fatal(err)
	}
	pid := lines{t, out}.pid()
	conn.Unix().Write([]byte("\x00\x00\x00\x03abc"))
	eventually(t, "the command is gone", func() bool { return !lives(pid) })
	if !lives(other.PID()) {
		t.Error("another command is gone, too")
	}
}

func TestWaitReturnsTheCauseAndMayBeCalledAgain(t *testing.T) {
	a := startAgent(t)
	in, feed := pipe(t)
	s := a.start(shell("read line; exit 8"), spec.Stdio{In: in})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := s.Wait(ctx); err != cause {
		t.Errorf("got %v", err)
	}
	feed.Close()
	if exit := wait(t, s); exit.Code != 8 {
		t.Errorf("got %+v", exit)
	}
	if exit, err := s.Wait(ctx); err != nil || exit.Code != 8 {
		t.Errorf("a known exit is lost to an ended context: %+v, %v", exit, err)
	}
	if err := s.Signal(syscall.SIGTERM); err == nil {
		t.Error("a signal reached a command that ended")
	}
}

func BenchmarkCommand(b *testing.B) {
	a := startAgent(b)
	for b.Loop() {
		conn, err := wire.Dial(a.socket)
		if err != nil {
			b.Fatal(err)
		}
		s, err := Start(conn, program("/bin/true"), spec.Stdio{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
