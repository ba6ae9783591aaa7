package cli

import (
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/daemon"
)

// used is what a container had used by a second.
func used(id string, second int64, cpu time.Duration) daemon.Usage {
	return daemon.Usage{Container: daemon.Container{ID: id}, Usage: container.Usage{CPU: cpu}, At: time.Unix(second, 0)}
}

func TestAStatIsWhatWasUsedBetweenTwoMeasurements(t *testing.T) {
	before := []daemon.Usage{used("a", 10, time.Second), used("ended", 10, 0), used("again", 10, 5*time.Second), used("same", 12, 0)}
	now := []daemon.Usage{used("a", 12, 4*time.Second), used("begun", 12, time.Second), used("again", 12, 0), used("same", 12, 0)}
	got := stats(before, now)
	if len(got) != 2 || got[0].ID != "a" || got[0].CPUPercent != 150 {
		t.Fatalf("got %+v, want 150 %% of a", got)
	}
	if got[1].ID != "again" || got[1].CPUPercent != 0 {
		t.Errorf("of a container whose count began anew: %+v", got[1])
	}
}

func TestAScreenIsDrawnOverAndNeverScrolled(t *testing.T) {
	for rows, want := range map[int]string{
		3: "\x1b[HA\x1b[K\r\nb\x1b[K\r\n\x1b[J",
		2: "\x1b[HA\x1b[K\r\n\x1b[J",
		1: "\x1b[H\x1b[J",
	} {
		if got := string(repaint([]byte("A\nb\n"), rows)); got != want {
			t.Errorf("%d rows: got %q, want %q", rows, got, want)
		}
	}
}
