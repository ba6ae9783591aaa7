//go:build linux && engine

package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestExitCodesAreThoseOfAShell(t *testing.T) {
	f := start(t)
	for script, want := range map[string]struct{ code, signal int }{
		"true":          {0, 0},
		"exit 3":        {3, 0},
		"exit 255":      {255, 0},
		"kill -TERM $$": {143, 15},
		"kill -KILL $$": {137, 9},
	} {
		t.Run(script, func(t *testing.T) {
			_, exit, err := f.output(t.Context(), box(), sh(script))
			if err != nil {
				t.Fatal(err)
			}
			if exit.Code != want.code || exit.Signal != want.signal || exit.OOMKilled {
				t.Errorf("got %+v, want %+v", exit, want)
			}
			if exit.Elapsed <= 0 {
				t.Errorf("elapsed %v", exit.Elapsed)
			}
		})
	}
}

func TestEnvironmentComesFromImageContainerAndProcessInThisOrder(t *testing.T) {
	f := start(t)
	c := box()
	c.Env = []string{"OVER=container", "BOTH=container"}
	p := sh("echo $FROM $OVER $BOTH $HOME $USER; hostname; pwd")
	p.Env = []string{"BOTH=process"}
	if got, want := f.must(c, p), "image container process /home/tester tester\nbox\n/home/tester\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Dir = "/tmp"
	if got := f.must(c, p); !strings.HasSuffix(got, "\n/tmp\n") {
		t.Errorf("with a directory of its own: %q", got)
	}
	c.Image = plainImage
	if got, want := f.must(c, sh("pwd; id -un; echo $HOME $PATH")), "/\nroot\n/root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"; got != want {
		t.Errorf("an image that says nothing: got %q, want %q", got, want)
	}
}

func TestVariablesMayHoldAnyBytes(t *testing.T) {
	f := start(t)
	c := box()
	c.Env = []string{"RAW=a\xffb"}
	if got := f.must(c, sh(`printf %s "$RAW"`)); got != "a\xffb" {
		t.Errorf("got %q", got)
	}
}

func TestUserIsTheOneAskedForElseTheImages(t *testing.T) {
	f := start(t)
	for user, want := range map[string]string{
		"":            "1000:1000 tester /home/tester 29 999",
		"root":        "0:0 root /root",
		"tester:root": "1000:0 tester /home/tester",
		"0:1000":      "0:1000 root /root",
		"4321:8765":   "4321:8765 user /tmp",
		"1000":        "1000:1000 tester /home/tester 29 999",
	} {
		t.Run("user "+user, func(t *testing.T) {
			c := box()
			c.User = user
			p := sh(`echo $(id -u):$(id -g) $(whoami) $HOME $(grep ^Groups: /proc/self/status | cut -d: -f2)`)
			got := strings.TrimSpace(f.must(c, p))
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	c := box()
	c.User = "nobody-knows"
	if _, _, err := f.output(t.Context(), c, sh("true")); !fault.HasCode(err, "image.unknown_user") {
		t.Errorf("unknown user: got %v", err)
	}
}

func TestMountsThatCannotBeMadeAreNamed(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/etc", link); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		mount spec.Mount
		code  string
	}{
		"a link to a directory of the machine":        {spec.Mount{Source: link, Target: "/app"}, "mount.symlink"},
		"a link that is to be the caller's":           {spec.Mount{Source: link, Target: "/app", Owned: true}, "mount.symlink"},
		"a source that is not there":                  {spec.Mount{Source: "/no/such/dir", Target: "/app"}, "mount.missing"},
		"a file system without mapped ids":            {spec.Mount{Source: "/sys/kernel", Target: "/app", Owned: true}, "mount.no_idmap"},
		"a missing source that is to be the caller's": {spec.Mount{Source: "/no/such/dir", Target: "/app", Owned: true}, "mount.missing"},
	} {
		t.Run(name, func(t *testing.T) {
			container := box()
			container.Mounts = []spec.Mount{c.mount}
			_, _, err := f.output(t.Context(), container, sh("true"))
			if !fault.HasCode(err, c.code) {
				t.Errorf("got %v, want code %s", err, c.code)
			}
			test := as(spec.RoleTest)
			test.Own = container.Mounts
			if _, _, err := f.output(t.Context(), test, sh("true")); !fault.HasCode(err, c.code) {
				t.Errorf("of one run: got %v, want code %s", err, c.code)
			}
			if fault.Of(err).Next == "" {
				t.Errorf("no word on what to do: %v", err)
			}
		})
	}
	c := box()
	c.Image = "docker.io/test/nothing:latest"
	if _, _, err := f.output(t.Context(), c, sh("true")); !fault.HasCode(err, "image.missing") {
		t.Errorf("missing image: got %v", err)
	}
}

func TestReadOnlyMountsAndSingleFilesAreMounted(t *testing.T) {
	f := start(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(dir, "below")
	mountTmpfs(t, below)
	c := box()
	c.User, c.Caller = "root", spec.Owner{UID: 4711, GID: 4712}
	c.Mounts = []spec.Mount{
		{Source: dir, Target: "/ro", ReadOnly: true},
		{Source: file, Target: "/etc/one", ReadOnly: true},
		{Source: file, Target: "/owned/file", Owned: true},
	}
	got := f.must(c, sh("cat /etc/one; touch /ro/x || touch /ro/below/x || echo x > /etc/one || echo refused; echo more >> /owned/file"))
	if !strings.HasPrefix(got, "text\n") || !strings.HasSuffix(got, "refused\n") {
		t.Errorf("got %q", got)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "text\nmore\n" {
		t.Errorf("the owned file holds %q, error %v", text, err)
	}
}

func TestHundredMegabytesComeThroughAPipeWhole(t *testing.T) {
	f := start(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sum := make(chan [32]byte)
	var size int64
	go func() {
		h := sha256.New()
		size, _ = io.Copy(h, r)
		sum <- [32]byte(h.Sum(nil))
	}()
	exit, err := f.Run(t.Context(), box(), sh("dd if=/dev/zero bs=1M count=100 2>/dev/null; echo end"), spec.Stdio{Out: w})
	w.Close()
	got := <-sum
	if err != nil || exit.Code != 0 {
		t.Fatalf("exit %+v, error %v", exit, err)
	}
	want := sha256.New()
	io.CopyN(want, zeros{}, 100<<20)
	io.WriteString(want, "end\n")
	if size != 100<<20+4 || got != [32]byte(want.Sum(nil)) {
		t.Errorf("got %d bytes with sum %x", size, got)
	}
}

func TestStdinReachesTheProcessAndItsEndToo(t *testing.T) {
	f := start(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(w, "three\nsmall\nlines\n")
		w.Close()
	}()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	exit, err := f.Run(t.Context(), box(), sh("cat; echo error >&2"), spec.Stdio{In: r, Out: out})
	if err != nil || exit.Code != 0 {
		t.Fatalf("exit %+v, error %v", exit, err)
	}
	if text, _ := os.ReadFile(out.Name()); string(text) != "three\nsmall\nlines\n" {
		t.Errorf("got %q", text)
	}
}

func TestNetworkNoneHasLoopbackAndNothingElse(t *testing.T) {
	f := start(t)
	got := f.must(box(), sh(`ls /sys/class/net; cat /sys/class/net/lo/operstate
		(echo hi | nc -l -p 80 &)
		for i in 1 2 3 4 5 6 7 8 9; do nc 127.0.0.1 80 </dev/null 2>/dev/null && break; usleep 50000; done
		cat /etc/resolv.conf /etc/hosts`))
	if want := "lo\nunknown\nhi\n127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost ip6-loopback\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNetworkHostIsTheHosts(t *testing.T) {
	f := start(t)
	c := box()
	c.Network = spec.NetworkHost
	got := f.must(c, sh("readlink /proc/self/ns/net; cat /etc/resolv.conf"))
	ns, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	resolv, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if want := ns + "\n" + string(resolv); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := f.must(box(), sh("readlink /proc/self/ns/net")); got == ns+"\n" {
		t.Errorf("network none is the host's network %s", got)
	}
}

func TestProcessesAreConfined(t *testing.T) {
	f := start(t)
	c := box()
	c.User = "root"
	got := f.must(c, sh(`grep -E '^(Seccomp|NoNewPrivs|CapEff|CapBnd|CapInh|CapAmb):' /proc/self/status | tr -d '\t'
		mount -t tmpfs x /mnt 2>/dev/null && echo mounted
		chroot / true 2>/dev/null && echo chrooted
		mknod /tmp/null c 1 3 2>/dev/null && echo made
		unshare -U true 2>/dev/null && echo unshared
		echo 1 2>/dev/null > /proc/sys/kernel/printk && echo written
		cat /proc/kcore 2>/dev/null | head -c1 | wc -c
		ps | grep -c '[w]r-agent'
		grep -c 'Max open files *1024 ' /proc/self/limits
		df -m /dev/shm | awk 'END { print $2 }'
		touch /tmp/x /run/x /dev/shm/x && stat -f -c %T /tmp /run`))
	want := strings.Join([]string{
		"CapInh:0000000000000000", "CapEff:00000000000000fb", "CapBnd:00000000000000fb", "CapAmb:0000000000000000",
		"NoNewPrivs:1", "Seccomp:2", "0", "0", "0", "64", "tmpfs", "tmpfs", "",
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTwentyContainersRunSideBySide(t *testing.T) {
	f := start(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			exit, err := f.Run(t.Context(), box(), sh("sleep 0.2; exit "+itoa(i)), spec.Stdio{})
			if err != nil || exit.Code != i {
				t.Errorf("%d: exit %+v, error %v", i, exit, err)
			}
		})
	}
	wg.Wait()
}

func TestLimitsHoldAndAreReported(t *testing.T) {
	f := start(t)
	c := box()
	c.Memory = 32 << 20
	_, exit, err := f.output(t.Context(), c, sh("dd if=/dev/zero of=/dev/null bs=200M count=1"))
	if err != nil {
		t.Fatal(err)
	}
	// The shell lives and tells that its child was killed, or is the child.
	if exit.Code != 137 {
		t.Errorf("over the memory limit: got %+v", exit)
	}
	exec := spec.Process{Args: []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1"}}
	if _, exit, err = f.output(t.Context(), c, exec); err != nil || !exit.OOMKilled || exit.Signal != 9 || exit.Code != 137 {
		t.Errorf("over the memory limit: got %+v, error %v", exit, err)
	}
	c = box()
	c.Pids = 20
	text, _, err := f.output(t.Context(), c, sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 5 & done; wait"))
	if err != nil || !strings.Contains(text, "fork") {
		t.Errorf("over the pids limit: got %q, error %v", text, err)
	}
}

func TestTerminalIsTheContainersOwn(t *testing.T) {
	f := start(t)
	p := sh("tty; stty size; echo $TERM; read line; echo got $line; exit 7")
	p.Terminal, p.Size = true, spec.Size{Cols: 91, Rows: 17}
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	io.WriteString(w, "hello\n")
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	exit, err := f.Run(t.Context(), box(), p, spec.Stdio{In: in, Out: out})
	if err != nil || exit.Code != 7 {
		t.Fatalf("exit %+v, error %v", exit, err)
	}
	text, _ := os.ReadFile(out.Name())
	for _, want := range []string{"/dev/pts/0\r\n", "17 91\r\n", "xterm\r\n", "got hello\r\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
}

func TestCommandsThatDoNotStartAreFaults(t *testing.T) {
	f := start(t)
	for code, p := range map[string]spec.Process{
		"exec.not_found":      {Args: []string{"no-such-program"}},
		"exec.not_executable": {Args: []string{"/etc/passwd"}},
		"exec.no_dir":         {Args: []string{"true"}, Dir: "/no/such/dir"},
	} {
		if _, _, err := f.output(t.Context(), box(), p); !fault.HasCode(err, code) {
			t.Errorf("got %v, want code %s", err, code)
		}
	}
	f.nothingLeft()
}

func TestCancelEndsTheRunWithinTwoSeconds(t *testing.T) {
	f := start(t)
	why := errors.New("the test says so")
	for name, c := range map[string]struct {
		script string
		said   string
	}{
		"a process that obeys":    {`trap "echo bye; exit 1" INT; echo up; while :; do sleep 0.05; done`, "up\nbye\n"},
		"a process that does not": {`trap "" INT TERM HUP; echo up; while :; do sleep 0.05; done`, "up\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			var took time.Duration
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer w.Close()
				_, err = f.Run(ctx, box(), sh(c.script), spec.Stdio{Out: w})
			}()
			up := make([]byte, 3)
			if _, err := io.ReadFull(r, up); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			cancel(why)
			<-ended
			took = time.Since(begin)
			rest, _ := io.ReadAll(r)
			if !errors.Is(err, why) || string(up)+string(rest) != c.said {
				t.Errorf("error %v, output %q", err, string(up)+string(rest))
			}
			t.Logf("took %v", took)
			if took > 2*time.Second {
				t.Errorf("took %v", took)
			}
			f.nothingLeft()
		})
	}
}

func TestCancelWhileTheContainerIsMadeLeavesNothing(t *testing.T) {
	f := start(t)
	for _, after := range []int{0, 1, 5, 10, 20, 40, 60, 80, 100} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(after)*time.Millisecond)
		_, err := f.Run(ctx, box(), sh("sleep 5"), spec.Stdio{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d ms: %v", after, err)
		}
		f.nothingLeft()
	}
}

// zeros is an endless file of them.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
