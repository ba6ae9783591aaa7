package agent

import (
	"os"
	"os/exec"
	"testing"
)

func TestStatIsReadWhateverTheName(t *testing.T) {
	tests := []struct {
		stat string
		want process
		ok   bool
	}{
		{"7 (sh) S 1 7 7 0 -1", process{pid: 7, parent: 1, session: 7}, true},
		{"7 (a) Z 3 (b) R 1 2 3 0", process{pid: 7, parent: 1, session: 3}, true},
		{"7 (a\n) Z) Z 5 6 4 0", process{pid: 7, parent: 5, session: 4, dead: true}, true},
		{"7 (sh) S 1 7", process{}, false},
		{"", process{}, false},
	}
	for _, tt := range tests {
		got, ok := parseStat(7, []byte(tt.stat))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: got %+v, %v", tt.stat, got, ok)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("7 (sh) S 1 7 7 0 -1"))
	f.Add([]byte(") ) ) )"))
	f.Fuzz(func(_ *testing.T, stat []byte) { parseStat(1, stat) })
}

func TestKillWhereAlsoKillsWhatIsStartedMeanwhile(t *testing.T) {
	// A shell that forks as fast as it can, in a group that changes all the time.
	cmd := exec.Command("setsid", "--wait", "sh", "-c", `trap "" HUP TERM; set -m; echo $$; while :; do sleep 100 & done`)
	out, w := pipe(t)
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	session := lines{t, out}.pid()
	eventually(t, "it has forked", func() bool { return hasChild(session) })
	killSession(session)
	_ = cmd.Wait()
	eventually(t, "the session is empty", func() bool {
		for _, p := range processes() {
			if p.session == session && !p.dead {
				return false
			}
		}
		return true
	})
	if !lives(os.Getpid()) {
		t.Error("that cannot be")
	}
}
