package agent

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// listening reports whether sockets of a network namespace wait for
// connections or datagrams, by the files of its directory in /proc. Where
// nothing but the loopback is, others than those and their peers are not in
// use. Why the counts: the lists of TCP and UDP take milliseconds to read,
// since the kernel goes through all sockets of the machine.
func listening(net string) bool {
	used := func(f []string) bool {
		kinds := []string{"TCP:", "UDP:", "UDPLITE:", "TCP6:", "UDP6:", "UDPLITE6:"}
		return len(f) > 2 && slices.Contains(kinds, f[0]) && f[1] == "inuse" && f[2] != "0"
	}
	// One with a path is found by that path, in whatever namespace.
	accepts := func(f []string) bool {
		const flags, name = 3, 7
		return len(f) > name && f[flags] == "00010000" && strings.HasPrefix(f[name], "@")
	}
	return anyLine(filepath.Join(net, "sockstat"), used) || anyLine(filepath.Join(net, "sockstat6"), used) ||
		anyLine(filepath.Join(net, "unix"), accepts)
}

// anyLine reports whether the fields of a line are as wanted. A file that is
// not there has none.
func anyLine(path string, wanted func(fields []string) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if wanted(strings.Fields(lines.Text())) {
			return true
		}
	}
	return false
}
