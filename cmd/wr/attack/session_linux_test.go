package attack

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// session are the processes that belong to the session of one that was started with
// a session of its own, and how each was started.
func session(t *testing.T, id int) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("no process is to be seen: %v", err)
	}
	var all []string
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ") // state ppid pgrp session
		fields := strings.Fields(rest)
		if len(fields) < 4 || fields[3] != strconv.Itoa(id) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		all = append(all, fmt.Sprintf("%s %s %q", filepath.Base(filepath.Dir(path)), fields[0], line))
	}
	return all
}
