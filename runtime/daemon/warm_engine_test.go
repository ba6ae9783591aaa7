//go:build linux && engine

package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

// as is box in a role.
func as(role spec.Role) spec.Container {
	c := box()
	c.Role = role
	return c
}

// kept lists the containers that there are.
func (f *fixture) kept() []Container {
	f.t.Helper()
	status, err := f.Status(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	return status.Containers
}

// inUse counts the containers that somebody uses.
func (f *fixture) inUse() (n int) {
	f.t.Helper()
	for _, c := range f.kept() {
		n += min(1, c.Users)
	}
	return n
}

// stopAll removes every container, as a user would.
func (f *fixture) stopAll() {
	f.t.Helper()
	for _, c := range f.kept() {
		if err := f.Remove(context.Background(), c.ID); err != nil {
			f.t.Error(err)
		}
	}
}

// one fails unless there is exactly one container, and returns its id.
func (f *fixture) one() string {
	f.t.Helper()
	all := f.kept()
	if len(all) != 1 {
		f.t.Fatalf("there are %d containers, want 1: %+v", len(all), all)
	}
	return all[0].ID
}

func TestADevContainerIsKeptWithAllThatWasWritten(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	f.must(as(spec.RoleDev), sh("echo kept >/tmp/file; echo kept >~/file"))
	id := f.one()
	if got := f.must(as(spec.RoleDev), sh("cat /tmp/file ~/file")); got != "kept\nkept\n" {
		t.Errorf("got %q", got)
	}
	if again := f.one(); again != id {
		t.Errorf("another container: %s, then %s", id, again)
	}
	if got := f.must(box(), sh("ls /tmp")); got != "" {
		t.Errorf("a fresh one has %q", got)
	}
}

// plant writes wherever something could stay, as root, and starts what could
// go on.
const plant = `
for dir in / /tmp /run /dev /dev/shm /root /home/tester /etc /.wr /var; do echo x >$dir/planted 2>/dev/null; done
setsid sleep 1000 & setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' &
rm -rf /home/tester; rm /etc/group; mkdir -p /sys/fs/cgroup/planted 2>/dev/null
echo 40 >/proc/sys/net/ipv4/ip_default_ttl 2>/dev/null
true`

// look tells all that plant can have changed.
const look = `find / -xdev -name planted; find /tmp /run /dev -name planted; cat /proc/[0-9]*/comm 2>/dev/null | grep -v -x -e sh -e exe -e cat -e grep -e sort | sort
ls -d /home/tester; wc -c </etc/group; hostname; cat /proc/sys/net/ipv4/ip_default_ttl; ls /sys/fs/cgroup | grep planted; ls /tmp /run /dev/shm; true`

func TestNothingReachesTheNextProcessOfATestContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := as(spec.RoleTest)
	c.User = "root"
	before := f.must(c, sh(look))
	id := f.one()
	f.must(c, sh(plant))
	after := f.must(c, sh(look))
	if after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if again := f.one(); again != id {
		t.Errorf("another container: %s, then %s", id, again)
	}
	fresh := c
	fresh.Role = spec.RoleFresh
	if got := f.must(fresh, sh(look)); got != before {
		t.Errorf("in a fresh container:\n%s\nin a test container:\n%s", got, before)
	}
}

func TestWhatTestsWroteIsRemovedBehindThem(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := as(spec.RoleTest)
	f.must(c, sh("true"))
	id := f.one()
	scratches := func() int {
		entries, err := os.ReadDir(filepath.Join(f.config.Dirs.Containers(), id, "scratch"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for range 6 {
		f.must(c, sh("i=0; while [ $i -lt 200 ]; do : >~/$i; i=$((i+1)); done"))
		if n := scratches(); n > 3 {
			t.Errorf("what %d tests wrote is there at once", n)
		}
	}
	f.eventually("nothing is left of it", func() bool { return scratches() == 0 })
	if again := f.one(); again != id {
		t.Errorf("another container: %s, then %s", id, again)
	}
}

// rights tells what a process may do, beyond what the kernel allows everybody.
const rights = `grep -e ^Cap -e ^NoNew -e '^Seccomp:' /proc/self/status; id
mount -t tmpfs none /mnt; umount /tmp; unshare -m true; unshare -U true; unshare -n true; hostname other
head -c 1 /proc/kcore | wc -c; echo x >/proc/sys/kernel/domainname; echo h >/proc/sysrq-trigger; ls /proc/acpi /sys/firmware; mknod /tmp/node c 1 3
nc -l -p 80 -w 1 </dev/null; chroot / true; kill -9 1; date -s 2020-01-01; dmesg | head -1
ls -l /proc/self/fd | wc -l; ulimit -a; cat /proc/self/oom_score_adj; ls /dev; stat -c '%a %F' /dev/* /tmp /run /dev/shm; cat /proc/mounts | cut -d' ' -f2,3 | grep -v '^/.wr' | sort; ls /.wr`

func TestAProcessOfATestContainerMayDoWhatItMayInAFreshOne(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, user := range []string{"root", "tester"} {
		for _, network := range []spec.Network{spec.NetworkNone, spec.NetworkHost} {
			t.Run(user+" with network "+string(network), func(t *testing.T) {
				fresh := box()
				fresh.User, fresh.Network = user, network
				test := fresh
				test.Role = spec.RoleTest
				want, _, err := f.output(t.Context(), fresh, sh(rights))
				if err != nil {
					t.Fatal(err)
				}
				got, _, err := f.output(t.Context(), test, sh(rights))
				if err != nil {
					t.Fatal(err)
				}
				want, got = alike(want), alike(got)
				if got != want {
					t.Errorf("%s", difference(want, got))
				}
			})
		}
	}
}

// alike takes out what has to differ: the agent's own folders, and that
// devices, which the agent may not make, are mounted.
func alike(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		device := strings.HasPrefix(line, "/dev/") && strings.HasSuffix(line, " tmpfs\n") && line != "/dev/shm tmpfs\n"
		if line != "sock\n" && line != "scratch\n" && !device {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// difference shows the lines that only one of two texts has.
func difference(want, got string) string {
	var out strings.Builder
	for line := range strings.Lines(want) {
		if !strings.Contains("\n"+got, "\n"+line) {
			fmt.Fprint(&out, "fresh: ", line)
		}
	}
	for line := range strings.Lines(got) {
		if !strings.Contains("\n"+want, "\n"+line) {
			fmt.Fprint(&out, "test:  ", line)
		}
	}
	return out.String()
}

func TestAProcessOfATestContainerHasMountsOfItsOwn(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, user := range []string{"root", "tester"} {
		c := as(spec.RoleTest)
		c.User, c.Caller = user, caller
		work := callersDir(t, t.TempDir())
		c.Mounts = []spec.Mount{{Source: work, Target: "/app", Owned: true}}
		for range 3 {
			own := callersDir(t, t.TempDir())
			c.Own = []spec.Mount{
				{Source: own, Target: "/.wr/own", Owned: true},
				{Source: own, Target: "/.wr/deep/ro", ReadOnly: true, Owned: true},
				{Source: filepath.Join(own, "old"), Target: "/.wr/file", ReadOnly: true},
			}
			f.must(c, sh("echo x >/app/shared; ls /.wr/file; cd /.wr/own && echo x >new && ! touch /.wr/deep/ro/refused 2>/dev/null && ls /.wr/deep/ro/new"))
			wantOwned(t, own, 3)
			wantOwned(t, work, 3)
		}
	}
	if all := f.kept(); len(all) != 2 {
		t.Errorf("%d containers for two users, want 2", len(all))
	}
}

// TestNoThreadOfTheAgentOfATestHasMoreRightsThanTheTest compares them, since
// the process that made the namespaces goes on in them.
func TestNoThreadOfTheAgentOfATestHasMoreRightsThanTheTest(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, network := range []spec.Network{spec.NetworkNone, spec.NetworkHost} {
		c := as(spec.RoleTest)
		c.User, c.Network = "root", network
		const rights = "grep -h -e ^Cap -e ^NoNew -e ^Seccomp "
		test, agent, _ := strings.Cut(f.must(c, sh(rights+"/proc/self/status | sort; echo agent; "+rights+"/proc/1/task/*/status | sort -u")), "agent\n")
		if test != agent || !strings.Contains(test, "CapBnd") {
			t.Errorf("network %s: a test has\n%sits agent\n%s", network, test, agent)
		}
	}
}

// TestRootCannotReachIntoTheAgent looks for what tracing needs: who traces the
// agent tells the exit code.
func TestRootCannotReachIntoTheAgent(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for name, role := range roles {
		t.Run(name, func(t *testing.T) {
			c := as(role)
			c.User = "root"
			const reach = "cat /proc/1/environ; dd if=/dev/zero of=/proc/1/mem bs=1 count=1; cat /proc/1/fd/0"
			got := f.must(c, sh("id -u; ( "+reach+" ) 2>&1; true"))
			if denied := strings.Count(got, "Permission denied"); !strings.HasPrefix(got, "0\n") || denied != 3 {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestAWholeFileSystemIsMountedForTestsAsForOthers(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, target := range []string{"/tmp", "/run", "/dev/shm", "/app"} {
		for name, role := range roles {
			t.Run(target+", "+name, func(t *testing.T) {
				dir := filepath.Join(t.TempDir(), "whole")
				mountTmpfs(t, dir)
				if err := os.WriteFile(filepath.Join(dir, "old"), []byte("there\n"), 0o644); err != nil {
					t.Fatal(err)
				}
				c := as(role)
				c.User, c.Mounts = "root", []spec.Mount{{Source: dir, Target: target}}
				for range 2 {
					if got := f.must(c, sh("cat "+target+"/old; echo x >>"+target+"/new")); got != "there\n" {
						t.Errorf("got %q", got)
					}
				}
				if text, err := os.ReadFile(filepath.Join(dir, "new")); string(text) != "x\nx\n" {
					t.Errorf("written outside: %q, %v", text, err)
				}
				f.stopAll()
			})
		}
	}
}

func TestAContainerIsReplacedWhenWhatItIsMadeOfChanges(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	dir := filepath.Join(t.TempDir(), "work")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := as(spec.RoleDev)
	c.User = "root"
	c.Mounts = []spec.Mount{{Source: dir, Target: "/app"}}
	own := filepath.Join(t.TempDir(), "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	c.Own = []spec.Mount{{Source: own, Target: "/.wr/own"}}
	seen := map[string]string{}
	for _, step := range []struct {
		what   string
		change func()
	}{
		{"nothing before", func() {}},
		{"environment", func() { c.Env = []string{"A=1"} }},
		{"network", func() { c.Network = spec.NetworkHost }},
		{"limit", func() { c.Pids = 100 }},
		{"image", func() { c.Image = plainImage }},
		{"another directory at the same path", func() {
			if err := errors.Join(os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o755)); err != nil {
				t.Fatal(err)
			}
		}},
		{"another one of its own at the same path", func() {
			if err := errors.Join(os.Remove(filepath.Join(own, "here")), os.Remove(own), os.Mkdir(own, 0o755)); err != nil {
				t.Fatal(err)
			}
		}},
		{"none of its own", func() { c.Own = nil }},
	} {
		step.change()
		f.must(c, sh("echo new >/app/here; test ! -d /.wr/own || echo new >/.wr/own/here"))
		f.eventually(step.what, func() bool { return len(f.kept()) == 1 })
		id := f.one()
		if before := seen[id]; before != "" {
			t.Errorf("%s: still the container of %q", step.what, before)
		}
		seen[id] = step.what
		c.Labels = map[string]string{"wr.run": step.what} // is no change
	}
	if _, err := os.Stat(filepath.Join(dir, "here")); err != nil {
		t.Errorf("the new directory was not the one mounted: %v", err)
	}
	if _, err := os.Stat(filepath.Join(own, "here")); err != nil {
		t.Errorf("the new directory of its own was not the one mounted: %v", err)
	}
}

func TestTwoAtOnceShareADevContainerAndNoTestContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for role, want := range map[spec.Role]int{spec.RoleDev: 1, spec.RoleTest: 3} {
		ready, release := pipe(t)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				p := sh("cat")
				if _, err := f.Run(t.Context(), as(role), p, spec.Stdio{In: ready}); err != nil {
					t.Error(err)
				}
			})
		}
		f.eventually(string(role)+" containers", func() bool { return len(f.kept()) == want })
		release.Close()
		wg.Wait()
		f.stopAll()
	}
}

func TestKeptContainersOutliveTheEngine(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	f.must(as(spec.RoleDev), sh("echo kept >/tmp/file"))
	test := as(spec.RoleTest)
	f.must(test, sh("true"))
	before := f.kept()
	in, release := pipe(t)
	said, out := pipe(t)
	type ended struct {
		exit spec.Exit
		err  error
	}
	running := make(chan ended, 1)
	go func() {
		exit, err := f.Run(context.Background(), test, sh("echo up; cat; exit 5"), spec.Stdio{In: in, Out: out})
		running <- ended{exit, err}
	}()
	if n, err := said.Read(make([]byte, 8)); n != 3 {
		t.Fatalf("the process said %d bytes, %v", n, err)
	}
	if err := syscall.Kill(f.pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.eventually("the engine is dead", func() bool { return dialError(t, f.config.Dirs) != nil })
	f.up()
	if got := f.must(as(spec.RoleDev), sh("cat /tmp/file")); got != "kept\n" {
		t.Errorf("got %q", got)
	}
	if after := f.kept(); len(after) != len(before) {
		t.Errorf("%d containers before, %d after", len(before), len(after))
	}
	release.Close()
	if got := <-running; got.err != nil || got.exit.Code != 5 {
		t.Errorf("the process that ran meanwhile: %+v, %v", got.exit, got.err)
	}
	f.eventually("the test has ended", func() bool { return f.inUse() == 0 })
	f.must(test, sh("true"))
	if after := f.kept(); len(after) != len(before) {
		t.Errorf("%d containers before, %d after", len(before), len(after))
	}
}

func TestAKeptContainerWhoseAgentDiedIsReplaced(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, role := range []spec.Role{spec.RoleDev, spec.RoleTest} {
		f.must(as(role), sh("true"))
		id := f.one()
		record, err := f.containerd.LoadContainer(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		task, err := record.Task(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ended, err := task.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(int(task.Pid()), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		<-ended
		f.must(as(role), sh("true"))
		f.eventually("the dead one is gone", func() bool { return len(f.kept()) == 1 })
		if again := f.one(); again == id {
			t.Error("still the dead container")
		}
		f.stopAll()
	}
}

func TestUnusedContainersGoWhenTheyAreTooOldOrTooMany(t *testing.T) {
	f := start(t, func(c *engineConfig) { c.MaxKept = 2 })
	projects := []string{"a", "b", "c"}
	for _, p := range append(projects, "b") {
		c := as(spec.RoleDev)
		c.Labels = map[string]string{"wr.project": p}
		f.must(c, sh("true"))
	}
	f.eventually("two are kept", func() bool { return len(f.kept()) == 2 })
	for _, c := range f.kept() {
		if c.Project == "a" {
			t.Error("the least recently used one is kept")
		}
	}
	f.stopAll()
	f = start(t, func(c *engineConfig) { c.Keep = 100 * time.Millisecond })
	f.must(as(spec.RoleDev), sh("true"))
	f.eventually("it is gone", func() bool { return len(f.kept()) == 0 })
}

func TestTheProcessOfADeadClientEndsAndItsContainerStays(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, role := range []spec.Role{spec.RoleDev, spec.RoleTest} {
		ctx, cancel := context.WithCancel(t.Context())
		in, _ := pipe(t)
		done := make(chan error, 1)
		go func() {
			_, err := f.Run(ctx, as(role), sh("trap '' INT; cat; sleep 1000"), spec.Stdio{In: in})
			done <- err
		}()
		f.eventually("it runs", func() bool { return f.inUse() == 1 })
		cancel()
		if err := <-done; err == nil {
			t.Error("no error")
		}
		f.eventually("nobody uses it", func() bool { return f.inUse() == 0 })
		f.one()
		if got := f.must(as(role), sh(`cat /proc/[0-9]*/comm 2>/dev/null | grep -c sleep; true`)); got != "0\n" {
			t.Errorf("%s: %s processes of it are left", role, got)
		}
		f.stopAll()
	}
}

func TestATestContainerHasALoopbackOfItsOwnForEachProcess(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	p := sh("nc -l -p 80 -e echo hi & for i in 1 2 3 4 5 6 7 8 9; do nc 127.0.0.1 80 && exit; sleep 0.1; done")
	for range 2 {
		if got := f.must(as(spec.RoleTest), p); !strings.Contains(got, "hi\n") {
			t.Errorf("got %q", got)
		}
	}
}
