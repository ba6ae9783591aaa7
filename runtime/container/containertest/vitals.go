//go:build linux && engine

package containertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Vitals count what a process has that piles up when something is not given
// back.
type Vitals struct {
	Files   int // open ones
	Threads int
	Living  int // children that run
	Zombies int // children whose end nobody has asked for
}

// VitalsOf counts what a process has at this moment.
func VitalsOf(pid int) (Vitals, error) {
	dir := fmt.Sprintf("/proc/%d", pid)
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return Vitals{}, err
	}
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil {
		return Vitals{}, err
	}
	v := Vitals{Files: len(files), Threads: len(threads)}
	for _, t := range threads {
		children, _ := os.ReadFile(filepath.Join(dir, "task", t.Name(), "children")) // a thread may end
		for child := range strings.FieldsSeq(string(children)) {
			switch state(child) {
			case "": // gone meanwhile
			case "Z", "X":
				v.Zombies++
			default:
				v.Living++
			}
		}
	}
	return v, nil
}

// state is the letter of proc_pid_stat(5) for a process.
func state(pid string) string {
	stat, _ := os.ReadFile("/proc/" + pid + "/stat")
	after := string(stat[strings.LastIndex(string(stat), ")")+1:]) // the name before it holds anything
	if fields := strings.Fields(after); len(fields) > 0 {
		return fields[0]
	}
	return ""
}

// Over tells which counts are more than before, by more than slack.
func (v Vitals) Over(before, slack Vitals) (out []string) {
	for _, one := range []struct {
		name             string
		now, then, spare int
	}{
		{"open files", v.Files, before.Files, slack.Files},
		{"threads", v.Threads, before.Threads, slack.Threads},
		{"living children", v.Living, before.Living, slack.Living},
		{"zombies", v.Zombies, before.Zombies, slack.Zombies},
	} {
		if one.now > one.then+one.spare {
			out = append(out, fmt.Sprintf("%d %s, %d before", one.now, one.name, one.then))
		}
	}
	return out
}
