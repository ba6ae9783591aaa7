package engine

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// testDirs returns directories short enough for sockets.
func testDirs(t *testing.T) Dirs {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "wr-e")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(base); err != nil {
			t.Error(err)
		}
	})
	d := Dirs{State: base + "/state", Run: base + "/run"}
	for _, path := range []string{d.State, d.Run} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestLock(t *testing.T) {
	dirs := testDirs(t)
	if h, held := Holder(dirs); held {
		t.Fatalf("held before anybody took it: %+v", h)
	}
	since := time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	first := Hold{PID: 4711, Since: since, Version: "1.2.3", Dirs: dirs}
	lock, err := acquire(first)
	if err != nil {
		t.Fatal(err)
	}
	if h, held := Holder(dirs); !held || h != first {
		t.Errorf("got %+v, %v, want %+v", h, held, first)
	}
	_, err = acquire(Hold{PID: 1, Dirs: dirs})
	f := fault.Of(err)
	if f.Code != "engine.held" || !strings.Contains(f.Message, "pid 4711") ||
		!strings.Contains(f.Message, since.Local().Format(time.DateTime)) || f.Next == "" {
		t.Errorf("got %+v, want engine.held that names pid 4711 and since when", f)
	}
	if h, _ := Holder(dirs); h != first {
		t.Errorf("the loser changed the lock to %+v", h)
	}
	lock.Close()
	if h, held := Holder(dirs); held {
		t.Errorf("held after its end: %+v", h)
	}
	again, err := acquire(Hold{PID: 2, Dirs: dirs})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if h, _ := Holder(dirs); h.PID != 2 || h.Version != "" {
		t.Errorf("got %+v, want the second hold alone", h)
	}
}
