//go:build linux && engine

package containertest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processes adds the processes of the engine, those in other networks than this
// one's, and the namespaces that one of them holds open.
func (t *counter) processes() error {
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	in := t.Group.Processes()
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return err
	}
	networks := map[string]bool{own: true}
	for _, dir := range all {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		command := commandLine(dir)
		if !in[pid] && !t.isShim(command) {
			continue
		}
		t.add("process", command)
		if network, err := os.Readlink(dir + "/ns/net"); err == nil && !networks[network] {
			networks[network] = true
			t.add("netns", "of "+command)
		}
		for range heldNamespaces(dir) {
			t.add("netns", "held open by "+command)
		}
	}
	return nil
}

// isShim tells a shim of the engine by its command line.
func (t *counter) isShim(command string) bool {
	return strings.Contains(command, "containerd-shim") && strings.Contains(command, t.Dirs.Run+"/")
}

// commandLine is what a process was started with, or its name in brackets when
// it has no memory any more.
func commandLine(dir string) string {
	if line, err := os.ReadFile(dir + "/cmdline"); err == nil && len(line) > 0 {
		return strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	}
	name, _ := os.ReadFile(dir + "/comm")
	return "[" + strings.TrimSpace(string(name)) + "]"
}

// heldNamespaces are the descriptors of a process that are network namespaces.
func heldNamespaces(dir string) []string {
	files, _ := filepath.Glob(dir + "/fd/*")
	var out []string
	for _, f := range files {
		if to, _ := os.Readlink(f); strings.HasPrefix(to, "net:[") {
			out = append(out, f)
		}
	}
	return out
}
