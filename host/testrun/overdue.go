package testrun

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// pollEvery is how often the facts of a running unit are read.
const pollEvery = 100 * time.Millisecond

// dumpTime is how long after the end of its time the process of a case is let
// run: by then the plugin, which counts for itself, has had the stacks written.
const dumpTime = 3 * pollEvery

// maxStacks bounds what is read of the stacks of one worker, in bytes.
const maxStacks = 128 << 10

// errOverdue is why a process ends that has a case which takes longer than it may.
var errOverdue = errors.New("a case took longer than it may")

// stop reports whether the process of s is to be ended now, once: for cases that
// take longer than they may. What it does from then on says nothing of its cases.
//
// Outside of cases nothing is late: how long pytest collects, or writes reports,
// has to do with their number. The teardown of what a session shares is part of
// its last case.
func (s *session) stop(now time.Time) bool {
	if s.overdue != nil || s.single {
		return false
	}
	for _, c := range s.running {
		if limit := s.policy(c).Timeout; limit > 0 && now.Sub(c.since) > limit+dumpTime {
			s.overdue = append(s.overdue, c)
		}
	}
	return s.overdue != nil
}

// stacksFiles is what the names of files with stacks begin with, of the nth
// process.
func stacksFiles(n int) string { return fmt.Sprintf("stacks.%d", n) }

// stacks are the stacks of the threads of the nth process, by pytest's ids of
// the cases that took so long that they were written. What is no such file, in
// a folder where tests may write too, is left out.
func (d *unitDir) stacks(n int) map[string]string {
	all := map[string]string{}
	names, _ := fs.Glob(d.facts.FS(), stacksFiles(n)+".*")
	for _, name := range names {
		if id, text, err := d.stacksIn(name); err == nil && text != "" {
			all[id] = text
		}
	}
	return all
}

func (d *unitDir) stacksIn(name string) (id, text string, err error) {
	f, err := d.facts.Reopen(name, os.O_RDONLY)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	in := bufio.NewReader(io.LimitReader(f, maxStacks))
	first, err := in.ReadBytes('\n')
	if err != nil {
		return "", "", err
	}
	if err := json.Unmarshal(first, &id); err != nil {
		return "", "", err
	}
	rest, err := io.ReadAll(in)
	return id, ownFrames(plainText(string(rest))), err
}

// Frames that belong to pytest, its plugins and what starts it, by what their
// files have in their paths.
var machinery = []string{
	"/site-packages/", "/dist-packages/", "/_pytest/", "/pluggy/", "/bin/pytest", "/bin/py.test", "<frozen runpy>", "/runpy.py", `"<string>"`,
}

// ownFrames is text, stacks as Python's faulthandler writes them, the innermost
// frame first, without the outermost frames, that only lead to the test. A stack
// of nothing else stays.
func ownFrames(text string) string {
	var kept, stack []string
	flush := func() {
		end := len(stack)
		for end > 0 && isMachinery(stack[end-1]) {
			end--
		}
		if end == 0 {
			end = len(stack)
		}
		kept, stack = append(kept, stack[:end]...), nil
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "  File ") {
			stack = append(stack, line)
			continue
		}
		flush()
		kept = append(kept, line)
	}
	flush()
	return strings.TrimSpace(strings.Join(kept, ""))
}

func isMachinery(frame string) bool {
	return slices.ContainsFunc(machinery, func(part string) bool { return strings.Contains(frame, part) })
}
