//go:build linux && engine

package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/creack/pty"
)

func TestStatsAreWatchedUntilControlC(t *testing.T) {
	w, dir := lived(t)
	if _, errs, code := w.run(dir, "exec", "apps/web", "--", "true"); code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	t.Run("as lines of JSON", func(t *testing.T) {
		cmd := w.command(dir, "stats", "apps/web", "--watch", "--json")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 2 {
			var all []stat
			if !lines.Scan() {
				t.Fatal("no line")
			}
			if err := json.Unmarshal(lines.Bytes(), &all); err != nil || len(all) != 1 || all[0].Project != "apps/web" {
				t.Errorf("got %s, %v", lines.Bytes(), err)
			}
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if got := code(t, cmd.Wait()); got != 0 {
			t.Errorf("exit %d", got)
		}
	})
	t.Run("on a terminal", func(t *testing.T) {
		cmd := w.command(dir, "stats", "--watch")
		s := newScreen(t, cmd, pty.Winsize{Cols: 100, Rows: 10})
		s.shows("\x1b[HPROJECT")
		s.shows("apps/web")
		s.shows("\x1b[HPROJECT") // again
		s.typed("\x03")
		if got := code(t, cmd.Wait()); got != 0 {
			t.Errorf("exit %d", got)
		}
	})
}
