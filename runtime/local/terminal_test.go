package local_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/local"
	"github.com/wr-build/wr/runtime/spec"
)

// onTerminal runs a shell command on a terminal of its own, types keys once it has
// shown a word, and returns how it ended and what it has shown.
func onTerminal(ctx context.Context, t *testing.T, script, word string, act func(keys io.Writer, sizes chan<- spec.Size)) (exit spec.Exit, shown string, err error) {
	t.Helper()
	in, keys, err1 := os.Pipe()
	out, screen, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer keys.Close()
	read, sizes := make(chan string), make(chan spec.Size)
	go func() {
		defer out.Close()
		var all strings.Builder
		for acted := false; ; {
			buf := make([]byte, 1024)
			n, err := out.Read(buf)
			all.Write(buf[:n])
			if !acted && strings.Contains(all.String(), word) {
				acted = true
				act(keys, sizes)
			}
			if err != nil {
				read <- all.String()
				return
			}
		}
	}()
	p := sh(script)
	p.Terminal, p.Size = true, spec.Size{Cols: 91, Rows: 33}
	exit, err = local.Runner{}.Run(ctx, spec.Container{}, p, spec.Stdio{In: in, Out: screen, Err: screen, Resize: sizes})
	_ = screen.Close()
	return exit, <-read, err
}

func typed(text string) func(io.Writer, chan<- spec.Size) {
	return func(keys io.Writer, _ chan<- spec.Size) { _, _ = io.WriteString(keys, text) }
}

func TestAProcessCanHaveATerminalOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		act    func(io.Writer, chan<- spec.Size)
		code   int
		want   string
	}{
		"of the caller's size":         {"test -t 0 && test -t 1 && test -t 2 && stty size && echo go && read x", typed("\n"), 0, "33 91"},
		"on which is typed":            {"echo go; read x; echo got $x; exit 7", typed("keys\n"), 7, "got keys"},
		"that is the one of /dev/tty":  {"echo go; read x </dev/tty; echo got $x >/dev/tty", typed("keys\n"), 0, "got keys"},
		"whose Ctrl-C is for it":       {"trap 'echo trapped; exit 3' INT; echo go; while :; do read x; done", typed("\x03"), 3, "trapped"},
		"that shows all that it wrote": {"echo go; read x; seq 20000", typed("\n"), 0, "\n20000\r\n"},
		"that gets the caller's new size": {
			"trap 'stty size; exit 0' WINCH; echo go; while :; do read x; done",
			func(_ io.Writer, sizes chan<- spec.Size) { sizes <- spec.Size{Cols: 70, Rows: 20} }, 0, "20 70",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exit, shown, err := onTerminal(t.Context(), t, c.script, "go\r\n", c.act)
			if err != nil || exit.Code != c.code || !strings.Contains(shown, c.want) {
				t.Errorf("exit %+v, %v, want %d; shown:\n%s", exit, err, c.code, shown)
			}
		})
	}
}

// TestWhatIsTypedAfterTheEndIsForOthers: one process after another has the terminal.
func TestWhatIsTypedAfterTheEndIsForOthers(t *testing.T) {
	t.Parallel()
	in, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	p := sh("sleep 60 & exit 0") // what is left holds the terminal
	p.Terminal = true
	if _, err := (local.Runner{}).Run(t.Context(), spec.Container{}, p, spec.Stdio{In: in, Out: null, Err: null}); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.WriteString("later"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 5)
	if n, err := io.ReadFull(in, buf); err != nil || string(buf) != "later" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

func TestAProcessOnATerminalEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	began := time.Now()
	_, shown, err := onTerminal(ctx, t, "trap 'echo trapped' INT; echo go; while :; do read x; done", "go\r\n", func(io.Writer, chan<- spec.Size) { cancel(enough) })
	if !errors.Is(err, enough) || !strings.Contains(shown, "trapped") || time.Since(began) > 10*time.Second {
		t.Errorf("%v after %v, shown:\n%s", err, time.Since(began), shown)
	}
}
