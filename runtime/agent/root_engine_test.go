//go:build linux && engine

package agent

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// startFirst runs an agent as the first process of a pid namespace.
func startFirst(t *testing.T) *testAgent {
	t.Helper()
	namespaces := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS}
	return startAgentIn(t, namespaces, "sh", "-c", `mount -t proc proc /proc && exec "$0"`)
}

// asUser is a script run by an ordinary user.
func asUser(script string) Command {
	c := shell(script)
	c.UID, c.GID, c.Groups = 4711, 4712, []int{4713, 4714}
	return c
}

func TestCommandHasTheRequestsCredentials(t *testing.T) {
	a := startAgent(t)
	got := a.run(asUser(`id -u; id -g; id -G; grep CapEff /proc/self/status; touch /root/x 2>/dev/null || echo refused`), "")
	want := "4711\n4712\n4712 4713 4714\nCapEff:\t0000000000000000\nrefused\n"
	if got.stdout != want {
		t.Errorf("got %+v", got)
	}
	root := shell("id -G")
	if got := a.run(root, ""); got.stdout != "0\n" {
		t.Errorf("root without groups: got %+v", got)
	}
}

func TestUserOwnsTheTerminal(t *testing.T) {
	a := startAgent(t)
	got, exit := a.open(t, asUser(`stat -c %u "$(tty)"; echo again >"$(tty)"; echo err >/dev/stderr`), nil).rest()
	if got != "4711\r\nagain\r\nerr\r\n" {
		t.Errorf("got %q, %+v", got, exit)
	}
}

func TestUsersRightsDecideWhatCanRun(t *testing.T) {
	a := startAgent(t)
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/tool", []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/private", 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ command, dir, code string }{
		{dir + "/tool", "/", NotExecutable},
		{"true", dir + "/private", NoDir},
		{dir + "/private/tool", "/", NotFound},
	}
	for _, tt := range tests {
		c := asUser("")
		c.Args, c.Dir = []string{tt.command}, tt.dir
		if _, err := Start(a.dial(), c, spec.Stdio{}); !fault.HasCode(err, tt.code) {
			t.Errorf("%s in %s: got %v, want %s", tt.command, tt.dir, err, tt.code)
		}
	}
}

func TestFirstProcessRunsReapsAndStops(t *testing.T) {
	a := startFirst(t)
	if got := a.run(shell("echo $PPID; exit 3"), ""); got.stdout != "1\n" || got.exit.Code != 3 {
		t.Errorf("got %+v", got)
	}
	for range 20 {
		a.run(shell(`setsid sh -c 'true & true & exit' & sleep 0.01`), "")
	}
	eventually(t, "no zombie is left", func() bool {
		for _, p := range processes() {
			if p.parent == a.cmd.Process.Pid {
				return false
			}
		}
		return true
	})
	wait(t, a.start(shell(`setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' & sleep 0.1`), spec.Stdio{}))
	ready := filepath.Join(t.TempDir(), "ready")
	stubborn := a.start(shell(`trap "" TERM HUP; touch `+ready+`; while :; do sleep 1; done`), spec.Stdio{})
	eventually(t, "the stubborn command ignores signals", func() bool {
		_, err := os.Stat(ready)
		return err == nil
	})
	a.stop()
	if exit := wait(t, stubborn); exit.Signal != int(syscall.SIGKILL) {
		t.Errorf("got %+v", exit)
	}
	if err := <-a.ended; err != nil {
		t.Errorf("the agent ended with %v", err)
	}
	a.ended <- nil
}

func TestClientInsideTheContainerIsRefused(t *testing.T) {
	a := startFirst(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := program(self)
	c.Env = []string{dialEnv + "=" + a.socket}
	if got := a.run(c, "").stdout; !strings.Contains(got, Denied) {
		t.Errorf("got %q", got)
	}
	c.Args = []string{"unshare", "--pid", "--fork", self}
	if got := a.run(c, "").stdout; !strings.Contains(got, Denied) {
		t.Errorf("from a namespace below: got %q", got)
	}
	if err := dialFrom(a.socket); err != nil {
		t.Errorf("from outside: %v", err)
	}
}

func TestKilledFirstProcessIsAFault(t *testing.T) {
	a := startFirst(t)
	s := a.start(program("sleep", "1000"), spec.Stdio{})
	if err := a.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if exit, err := s.Wait(t.Context()); !fault.HasCode(err, Gone) {
		t.Errorf("got %+v, %v", exit, err)
	}
}
