package cli

import (
	"bufio"
	"io"
	"os"
	"testing"

	"github.com/creack/pty"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// terminal is a terminal, and who looks at it.
func terminal(t *testing.T) (watcher, f *os.File) {
	t.Helper()
	watcher, f, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watcher.Close(); f.Close() })
	return watcher, f
}

func TestATerminalShowsWhatACommandPrintsThatDoesNotHoldIt(t *testing.T) {
	watcher, f := terminal(t)
	stdio := spec.Stdio{Out: f}
	o, err := keepTerminalsOutside(&stdio)
	if err != nil || stdio.Out == f {
		t.Fatalf("the command holds the terminal, %v", err)
	}
	if _, err := io.WriteString(stdio.Out, "shown\n"); err != nil {
		t.Error(err)
	}
	if line, err := bufio.NewReader(watcher).ReadString('\n'); line != "shown\r\n" {
		t.Errorf("it shows %q, %v", line, err)
	}
	if err := o.finish(); err != nil {
		t.Error(err)
	}
}

func TestOutputThatATerminalDoesNotTakeIsAnError(t *testing.T) {
	watcher, f := terminal(t)
	stdio := spec.Stdio{Out: f}
	o, err := keepTerminalsOutside(&stdio)
	if err != nil {
		t.Fatal(err)
	}
	watcher.Close()
	if _, err := io.WriteString(stdio.Out, "lost\n"); err != nil {
		t.Error(err)
	}
	if err := o.finish(); !fault.HasCode(err, "exec.output_lost") {
		t.Errorf("got %v", err)
	}
}
