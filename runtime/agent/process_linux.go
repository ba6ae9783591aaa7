package agent

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// process is a line of /proc: who belongs to whom.
type process struct {
	pid, parent, session int
	dead                 bool // a zombie
}

// processes lists what /proc shows; what ends meanwhile is left out.
func processes() []process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	var all []process
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		if p, ok := parseStat(pid, stat); ok {
			all = append(all, p)
		}
	}
	return all
}

// parseStat reads /proc/PID/stat: pid (name) state ppid pgrp session ...
// The name may hold anything, so fields count from the last parenthesis.
func parseStat(pid int, stat []byte) (process, bool) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(string(fields[1]))
	session, err2 := strconv.Atoi(string(fields[3]))
	state := fields[0][0]
	p := process{pid: pid, parent: parent, session: session, dead: state == 'Z' || state == 'X'}
	return p, err1 == nil && err2 == nil
}

// killWhere kills every living process that matches, and those which such a
// process starts meanwhile. It does not wait until they are gone, and returns
// how many there were.
func killWhere(match func(process) bool) int {
	killed := map[int]bool{}
	for more := true; more; {
		more = false
		for _, p := range processes() {
			if p.dead || killed[p.pid] || !match(p) {
				continue
			}
			_ = unix.Kill(p.pid, unix.SIGKILL)
			killed[p.pid], more = true, true
		}
	}
	return len(killed)
}

// killSession kills what is left of a session.
func killSession(session int) {
	killWhere(func(p process) bool { return p.session == session })
}

// killAll kills everything in the container; outside of one, where this
// process is not the first, all children of this process. It tells whether
// there was anything to kill: then there may be more, since what is killed
// leaves its own children to this process.
func killAll() bool {
	self := os.Getpid()
	if self == 1 {
		return unix.Kill(-1, unix.SIGKILL) == nil
	}
	return killWhere(func(p process) bool { return p.parent == self }) > 0
}
