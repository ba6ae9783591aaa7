//go:build linux && engine

package engine

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/leases"
	buildkit "github.com/moby/buildkit/client"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// engineDirs returns directories for an engine that is stopped, and leaves
// nothing behind, when the test ends.
func engineDirs(t *testing.T) Dirs {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("engine tests need root")
	}
	dirs := testDirs(t)
	t.Cleanup(func() {
		if h, held := Holder(dirs); held {
			end(t, h.PID, syscall.SIGTERM)
		}
		if left := mountsBelow(t, filepath.Dir(dirs.State)); len(left) > 0 {
			t.Errorf("mounts left: %v", left)
		}
	})
	return dirs
}

// up starts an engine on dirs with some more environment.
func up(t *testing.T, dirs Dirs, env ...string) error {
	t.Helper()
	env = append(append(os.Environ(), modeEnv+"=serve"), env...)
	return Up(t.Context(), Start{Dirs: dirs, Args: []string{}, Env: env})
}

// mustUp starts an engine and returns its pid.
func mustUp(t *testing.T, dirs Dirs, env ...string) int {
	t.Helper()
	start := time.Now()
	if err := up(t, dirs, env...); err != nil {
		t.Fatalf("%v\n%s", err, fault.Of(err).Details)
	}
	t.Logf("ready after %s", time.Since(start).Round(time.Millisecond/10))
	h, held := Holder(dirs)
	if !held {
		t.Fatal("ready, but nobody holds the lock")
	}
	return h.PID
}

// end signals a process that this test started and waits until it is gone.
func end(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	fd, err := openPidfd(pid)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
	if !awaitPidfd(fd, 15*time.Second) {
		t.Fatalf("pid %d survives %s", pid, sig)
	}
}

func mountsBelow(t *testing.T, dir string) []string {
	t.Helper()
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var found []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if point := strings.Fields(lines.Text())[4]; strings.HasPrefix(point, dir+"/") {
			found = append(found, point)
		}
	}
	return found
}

// ctr connects to the engine's containerd as another process would.
func ctr(t *testing.T, dirs Dirs) *client.Client {
	t.Helper()
	c, err := client.New(dirs.ContainerdSocket(), client.WithDefaultNamespace(Namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestContainerdAnswersOnItsSocket(t *testing.T) {
	dirs := engineDirs(t)
	mustUp(t, dirs)
	v, err := ctr(t, dirs).Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("containerd %s", v.Version)
	if !strings.HasPrefix(v.Version, "2.") {
		t.Errorf("got version %q", v.Version)
	}
	for _, path := range []string{dirs.ContainerdSocket(), dirs.BuildkitSocket(), dirs.APISocket(), dirs.ShimSocket()} {
		wantMode(t, path, 0o600, os.Getgid())
	}
	for _, path := range []string{dirs.State, dirs.Run, dirs.Containers(), dirs.Mounts(), dirs.ContainerdRoot()} {
		wantMode(t, path, 0o700, os.Getgid())
	}
}

func wantMode(t *testing.T, path string, mode fs.FileMode, gid int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != mode {
		t.Errorf("%s has mode %o, want %o", path, got, mode)
	}
	if got := int(info.Sys().(*syscall.Stat_t).Gid); got != gid {
		t.Errorf("%s has group %d, want %d", path, got, gid)
	}
}

func TestNothingLiesInContainerdsGlobalDirectories(t *testing.T) {
	before := exists("/run/containerd")
	dirs := engineDirs(t)
	mustUp(t, dirs)
	if _, err := ctr(t, dirs).Containers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := exists("/run/containerd"); after != before {
		t.Error("/run/containerd was made")
	}
}

func TestAfterAKillTheNextEngineHasEverything(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs)
	if _, err := ctr(t, dirs).LeasesService().Create(t.Context(), leases.WithID("kept")); err != nil {
		t.Fatal(err)
	}
	workers(t, dirs) // BuildKit has its databases open too
	end(t, pid, syscall.SIGKILL)
	if _, held := Holder(dirs); held {
		t.Fatal("the lock outlives its holder")
	}
	if again := mustUp(t, dirs); again == pid {
		t.Fatal("the same process")
	}
	list, err := ctr(t, dirs).LeasesService().List(t.Context(), "id==kept")
	if err != nil || len(list) != 1 {
		t.Errorf("got leases %v, %v", list, err)
	}
	workers(t, dirs)
	if strings.Contains(readLog(t, dirs), "damaged") {
		t.Error("a kill was taken for damage")
	}
}

func TestADamagedDatabaseCostsTheCacheAndNotTheEngine(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		dirs := engineDirs(t)
		end(t, mustUp(t, dirs), syscall.SIGTERM)
		overwrite(t, dirs.databases()[0], []byte(strings.Repeat("garbage ", 8192)))
		wantMended(t, dirs)
	})
	t.Run("in the middle, where opening it kills the engine", func(t *testing.T) {
		dirs := engineDirs(t)
		pid := mustUp(t, dirs)
		for i := range 200 {
			if _, err := ctr(t, dirs).LeasesService().Create(t.Context(), leases.WithID(fmt.Sprint("lease", i))); err != nil {
				t.Fatal(err)
			}
		}
		end(t, pid, syscall.SIGTERM)
		spoilPages(t, dirs.databases()[0])
		wantMended(t, dirs)
		if text := readLog(t, dirs); !strings.Contains(text, "containerd died 2 times") {
			t.Errorf("got log %s", text)
		}
	})
}

// spoilPages damages every page of a database but the two heads.
func spoilPages(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 2 * os.Getpagesize(); at+16 <= len(text); at += os.Getpagesize() {
		copy(text[at:], "no page header..")
	}
	overwrite(t, path, text)
}

// wantMended starts an engine on damaged directories.
func wantMended(t *testing.T, dirs Dirs) {
	t.Helper()
	mustUp(t, dirs)
	if aside, _ := filepath.Glob(dirs.State + "/state.bad-*/containerd"); len(aside) != 1 {
		t.Errorf("moved aside: %v", aside)
	}
	if n := strings.Count(readLog(t, dirs), "images and caches were damaged"); n != 1 {
		t.Errorf("got %d warnings, want one", n)
	}
	if _, err := ctr(t, dirs).LeasesService().List(t.Context()); err != nil {
		t.Error(err)
	}
}

func readLog(t *testing.T, dirs Dirs) string {
	t.Helper()
	text, err := os.ReadFile(dirs.Log())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// workers lists BuildKit's workers, which makes BuildKit.
func workers(t *testing.T, dirs Dirs) []*buildkit.WorkerInfo {
	t.Helper()
	start := time.Now()
	c, err := buildkit.New(t.Context(), "unix://"+dirs.BuildkitSocket())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	list, err := c.ListWorkers(t.Context())
	if err != nil {
		t.Fatalf("%v\n%s", err, readLog(t, dirs))
	}
	t.Logf("workers listed after %s", time.Since(start).Round(time.Millisecond/10))
	return list
}

func TestBuildKitStartsAtTheFirstConnection(t *testing.T) {
	dirs := engineDirs(t)
	mustUp(t, dirs)
	if exists(filepath.Join(dirs.BuildkitRoot(), "cache.db")) {
		t.Error("BuildKit was made before anybody connected")
	}
	list := workers(t, dirs)
	if len(list) != 1 || list[0].Labels["org.mobyproject.buildkit.worker.containerd.namespace"] != Namespace {
		t.Fatalf("got %+v, want one worker in namespace %s", list, Namespace)
	}
	server, err := ctr(t, dirs).Server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := list[0].Labels["org.mobyproject.buildkit.worker.containerd.uuid"]; got != server.UUID {
		t.Errorf("worker of containerd %q, want %q", got, server.UUID)
	}
	if len(list[0].GCPolicy) != 4 {
		t.Errorf("got GC policy %+v", list[0].GCPolicy)
	}
	workers(t, dirs)
}

func TestCloseLeavesNoListener(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs)
	workers(t, dirs)
	c := ctr(t, dirs) // a connection that stays open
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	end(t, pid, syscall.SIGTERM)
	for _, path := range []string{dirs.ContainerdSocket(), dirs.BuildkitSocket(), dirs.APISocket(), dirs.ShimSocket()} {
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			t.Errorf("%s is still served", path)
		}
		if exists(path) {
			t.Errorf("%s still lies there", path)
		}
	}
	sockets, err := os.ReadFile("/proc/net/unix")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sockets), dirs.Run) {
		t.Error("a socket is still open")
	}
	if text := readLog(t, dirs); !strings.Contains(text, "closing: engine got terminated") {
		t.Errorf("got log %s", text)
	}
}

func TestCloseInProcessIsIdempotentAndFreesEverything(t *testing.T) {
	dirs := engineDirs(t)
	for range 2 {
		d, err := Open(t.Context(), Config{Dirs: dirs})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Containerd().Version(t.Context()); err != nil {
			t.Error(err)
		}
		if n := d.Connections(); n != 0 {
			t.Errorf("got %d connections of others, want 0", n)
		}
		list := workers(t, dirs)
		if len(list) != 1 || d.Builds() != 0 {
			t.Errorf("got %d workers and %d builds", len(list), d.Builds())
		}
		for range 2 {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, held := Holder(dirs); held {
			t.Error("the lock is still held")
		}
	}
}

func TestAHalfFailedOpenGivesEverythingBack(t *testing.T) {
	dirs := engineDirs(t)
	// containerd has started and cannot listen for shims here.
	if err := os.MkdirAll(dirs.ShimSocket()+"/full", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dirs: dirs}); err == nil || !strings.Contains(err.Error(), "listen") {
		t.Fatalf("got %v", err)
	}
	if err := os.RemoveAll(dirs.ShimSocket()); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), Config{Dirs: dirs})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPanicLandsInTheLog(t *testing.T) {
	dirs := engineDirs(t)
	if err := up(t, dirs, modeEnv+"=panic"); err != nil {
		t.Fatal(err)
	}
	await(t, "end of the engine", func() bool {
		_, held := Holder(dirs)
		return !held
	})
	if text := readLog(t, dirs); !strings.Contains(text, "panic: test panics") || !strings.Contains(text, "goroutine ") {
		t.Errorf("got log %s", text)
	}
}

func TestSIGHUPDoesNothing(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs)
	if err := syscall.Kill(pid, syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _, err := ctr(t, dirs).Version(t.Context()); err != nil {
		t.Error(err)
	}
	if ignored := signalMask(t, pid, "SigIgn"); ignored&(1<<(syscall.SIGHUP-1)) != 0 {
		t.Error("SIGHUP is ignored, and so would be in containers")
	}
	if h, held := Holder(dirs); !held || h.PID != pid {
		t.Errorf("got holder %+v", h)
	}
}

// signalMask reads a mask of a process's status.
func signalMask(t *testing.T, pid int, name string) uint64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), name+":")
	if !ok {
		t.Fatalf("no %s in status", name)
	}
	mask, err := strconv.ParseUint(strings.Fields(after)[0], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return mask
}

func TestTheEngineIsAProcessOfItsOwn(t *testing.T) {
	dirs := engineDirs(t)
	pid := mustUp(t, dirs, "NOTIFY_SOCKET=/run/systemd/notify")
	session, _, err := syscall.Syscall(syscall.SYS_GETSID, uintptr(pid), 0, 0)
	if err != 0 || int(session) != pid {
		t.Errorf("got session %d, %v, want its own", session, err)
	}
	fds, readErr := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if readErr != nil {
		t.Fatal(readErr)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name())); strings.HasPrefix(to, "/dev/pts/") {
			t.Errorf("descriptor %s is a terminal", fd.Name())
		}
	}
}
