package container

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Process returns the owner that process pid of user uid is. A process that
// this machine's /proc does not show gets a start time of 0 and counts as gone.
func Process(pid, uid int) Owner {
	start, _ := startTime(pid)
	return Owner{PID: pid, Start: start, UID: uid}
}

// Alive reports whether that very process still runs.
func (o Owner) Alive() bool {
	start, err := startTime(o.PID)
	return err == nil && start == o.Start
}

// label is the value of LabelOwner.
func (o Owner) label() string { return fmt.Sprintf("%d:%d", o.PID, o.Start) }

// parseOwner reads the labels of an object back. A label that cannot be read
// gives an owner that is not alive.
func parseOwner(labels map[string]string) Owner {
	var o Owner
	pid, start, _ := strings.Cut(labels[LabelOwner], ":")
	o.PID, _ = strconv.Atoi(pid)
	o.Start, _ = strconv.ParseUint(start, 10, 64)
	o.UID, _ = strconv.Atoi(labels[LabelCaller])
	return o
}

// startTime reads when a process started, in clock ticks after boot. A zombie
// has ended, whatever its parent thinks of it.
func startTime(pid int) (uint64, error) {
	if pid <= 0 {
		return 0, os.ErrNotExist
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	return parseStat(string(stat))
}

// parseStat takes the start time, field 22 of proc_pid_stat(5). The name in
// field 2 may hold spaces and parentheses, so counting begins after the last one.
func parseStat(stat string) (uint64, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("short stat line %q", stat)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return 0, os.ErrProcessDone
	}
	return strconv.ParseUint(fields[19], 10, 64)
}
