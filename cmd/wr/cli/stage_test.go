package cli

import (
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
)

// onScreen is a stage on a terminal, and the terminal's other end.
func onScreen(t *testing.T) (s *stage, screen *os.File) {
	t.Helper()
	screen, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(screen, &pty.Winsize{Cols: 91, Rows: 33}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = screen.Close(), terminal.Close() })
	noEnv := func(string) (string, bool) { return "", false }
	return newStage(&app{Process: Process{In: terminal, Out: terminal, LookupEnv: noEnv}, Globals: Globals{Color: "never"}}), screen
}

func TestNothingIsShownOnATerminalThatIsLent(t *testing.T) {
	s, screen := onScreen(t)
	s.Emit(event.Event{Type: event.TestStarted, Project: "p"})
	var process spec.Process
	stdio, restore, err := s.Lend(&process)
	if err != nil {
		t.Fatal(err)
	}
	s.Emit(event.Event{Type: event.BuildStarted, Project: "q", Image: "q:1"})
	s.Emit(event.Event{Type: event.CaseFinished, Project: "p", Case: "test_x", Outcome: event.Failed, Text: "because", Details: "pytest has shown that"})
	s.Emit(event.Event{Type: event.ProjectFinished, Project: "p", Status: event.Bad})
	if _, err := stdio.Out.WriteString("(Pdb) \n"); err != nil {
		t.Fatal(err)
	}
	restore()
	restore()
	s.Emit(event.Event{Type: event.BuildFinished, Project: "q"})
	shown := readUntil(t, screen, "q  build  done")
	rest := shown
	for _, want := range []string{"p  test  started\r\n", "(Pdb) \n", "q  build  q:1\r\n", "because\r\n", "1 failed", "q  build  done"} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q is not where it should be in %q", want, shown)
		}
		rest = after
	}
	if strings.Contains(shown, "pytest has shown that") {
		t.Errorf("a failure is told twice: %q", shown)
	}
	if process.Size != (spec.Size{Cols: 91, Rows: 33}) || stdio.Resize == nil {
		t.Errorf("the process does not know its size: %+v", process)
	}
}

// readUntil is what comes from f up to last, and what came with that.
func readUntil(t *testing.T, f *os.File, last string) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(all.String(), last) {
		n, err := f.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, all.String())
		}
		all.Write(buf[:n])
	}
	return all.String()
}
