package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestWhatListensIsSeen(t *testing.T) {
	const (
		inet = "sockets: used 57\nTCP: inuse %d orphan 0 tw 7 alloc 9 mem 0\nUDP: inuse 0 mem 0\nUDPLITE: inuse 0\nRAW: inuse 1\nFRAG: inuse 0 memory 0\n"
		unix = "Num       RefCount Protocol Flags    Type St Inode Path\n"
	)
	for name, tt := range map[string]struct {
		file, text string
		want       bool
	}{
		"nothing, but connections that have ended": {"sockstat", fmt.Sprintf(inet, 0), false},
		"a server":                    {"sockstat", fmt.Sprintf(inet, 1), true},
		"a server by IPv6":            {"sockstat6", "TCP6: inuse 2\nUDP6: inuse 0\n", true},
		"a socket for datagrams":      {"sockstat6", "TCP6: inuse 0\nUDP6: inuse 1\n", true},
		"a socket without a path":     {"unix", unix + "0000000000000000: 00000002 00000000 00010000 0001 01 20 @name\n", true},
		"a socket with a path":        {"unix", unix + "0000000000000000: 00000002 00000000 00010000 0001 01 20 /run/x\n", false},
		"a pair of connected sockets": {"unix", unix + "0000000000000000: 00000003 00000000 00000000 0001 03 20\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, tt.file), []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if got := listening(dir); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
