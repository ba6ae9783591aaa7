package vfs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/vfs"
)

func TestWhatIsOutsideCannotBeReached(t *testing.T) {
	top := t.TempDir()
	plant(t, top, "secret", "ws/.env", "ws/.git/config", "ws/keys/id_rsa", "ws/go/x.go",
		"ws/rel -> ../secret", "ws/abs -> "+top+"/secret", "ws/etc -> /etc", "ws/up -> ..", "ws/proc -> /proc/self", "ws/env -> .env", "ws/git -> .git", "ws/key -> keys/id_rsa",
		"ws/chain -> rel", "ws/d/twist -> ../../ws/../secret", "ws/dot -> ./.././secret")
	var lines []string
	for _, p := range []string{
		"rel", "abs", "etc/hostname", "up/secret", "proc/environ", "env", "git/config", "key", "chain", "d/twist", "dot", ".env", ".ENV", ".Env", ".git/config", ".GIT/config", ".giT/config",
		"keys/ID_RSA", "keys/id_rsa", "../secret", "d/../../secret", "../../../../../../etc/hostname", "up/up/up/etc/hostname", "/../../etc/hostname", "./.env", ".//.env", "d/../.env",
	} {
		lines = append(lines, "read /src/"+p+" = "+missing, "stat /src/"+p+" = "+missing)
	}
	for _, p := range []string{"/etc/hostname", "/proc/self/environ", "/proc/1/root/etc/hostname", "/dev/null", "/../etc/hostname", top + "/secret", "/proc/self/fd/0", "."} {
		lines = append(lines, "read "+p+" = "+missing)
	}
	lines[len(lines)-1] = "read . = Is a directory"
	for _, p := range []string{"/src/rel", "/src/up/secret", "/src/etc/x", "/../x", "/root/x", "/proc/self/mem"} {
		lines = append(lines, "write "+p+" x = ok "+readOnly)
	}
	run(t, mount(t, filepath.Join(top, "ws"), vfs.Config{}, "**"), lines...)
	if b, err := os.ReadFile(filepath.Join(top, "secret")); err != nil || string(b) != "secret" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestNothingBlocksOrActsOnDevices(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "link -> pipe", "zero -> /dev/zero")
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(filepath.Join(dir, "device"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))); err != nil && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	run(t, mount(t, dir, vfs.Config{}, "**"),
		"read /src/pipe = "+missing, "stat /src/pipe = "+missing, "read /src/device = "+missing, "read /src/link = "+missing, "read /src/zero = "+missing,
		"write /src/pipe x = ok "+readOnly, "ls /src = a- linkL zeroL")
}

func TestAHardLinkIsReadByItsOwnPath(t *testing.T) {
	top := t.TempDir()
	plant(t, top, "outside", "ws/")
	if err := os.Link(filepath.Join(top, "outside"), filepath.Join(top, "ws/a.txt")); err != nil {
		t.Fatal(err)
	}
	run(t, mount(t, filepath.Join(top, "ws"), vfs.Config{}, "*.txt"),
		"read /src/a.txt = outside", "write /src/a.txt x = ok "+readOnly, "rm /src/a.txt = ok "+readOnly, "link /src/a.txt /tmp/a = ok Operation not permitted")
}

func TestALinkThatTakesADirectorysPlaceGainsNothing(t *testing.T) {
	top := t.TempDir()
	plant(t, top, "outside/sub/f", "ws/.git/sub/f", "ws/dir/sub/f")
	in := func(name string) string { return filepath.Join(top, "ws", name) }
	stop, done := make(chan struct{}), make(chan struct{})
	var turns atomic.Int64
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(in("dir"), in("away"))
			_ = os.Symlink([]string{".git", "../outside", "/etc"}[i%3], in("dir"))
			_ = os.Remove(in("dir"))
			_ = os.Rename(in("away"), in("dir"))
			turns.Add(1)
		}
	}()
	defer func() { close(stop); <-done }()
	f := mount(t, filepath.Join(top, "ws"), vfs.Config{}, "**")
	start, err := guest()
	if err != nil {
		t.Fatal(err)
	}
	for seen := false; !seen || turns.Load() < 1000; { // there is nothing in between two renames
		switch got := start(t, f, "race /src/dir/sub/f 1000"); got {
		case "race /src/dir/sub/f 1000: [ws/dir/sub/f]\n":
			seen = true
		case "race /src/dir/sub/f 1000: []\n":
		default:
			t.Fatalf("got %q", got)
		}
	}
}

func TestADeepTreeEndsWithAnError(t *testing.T) {
	dir := t.TempDir()
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	for range 4096 {
		if err == nil {
			err = unix.Mkdirat(fd, "d", 0o755)
		}
		if err == nil {
			next, e := unix.Openat(fd, "d", unix.O_DIRECTORY|unix.O_RDONLY, 0)
			_ = unix.Close(fd)
			fd, err = next, e
		}
	}
	if err = errors.Join(err, unix.Close(fd)); err != nil {
		t.Fatal(err)
	}
	path := "/src" + strings.Repeat("/d", 4096)
	f := mount(t, dir, vfs.Config{}, "**")
	run(t, f, "walk /src"+strings.Repeat("/d", 2000)+" = 0 0 File name too long", "read "+path+" = File name too long", "stat "+path+" = File name too long",
		"stat /src"+strings.Repeat("/d", 2000)+" = d--------- 0 1640995200",
		"deep /tmp = 2046 File name too long", "read /tmp/"+strings.Repeat("n", 256)+" = File name too long")
}

func TestADirectoryWithManyNamesIsListed(t *testing.T) {
	const many = 100_000
	dir := t.TempDir()
	for i := range many {
		if err := unix.Mknod(filepath.Join(dir, "f"+strconv.Itoa(i)), unix.S_IFREG|0o600, 0); err != nil {
			t.Fatal(err)
		}
	}
	f := mount(t, dir, vfs.Config{}, "**")
	run(t, f, fmt.Sprintf("ls /src = %d", many), "read /src/f99999 = ")
	if gap := f.All().Gap(); gap != "" || f.Exceeded() != "" {
		t.Errorf("gap %q, exceeded %q", gap, f.Exceeded())
	}
	small := mount(t, dir, vfs.Config{Limits: vfs.Limits{Held: 1 << 20}}, "**")
	run(t, small, "ls /src = "+broken, "ls / = outd srcd tmpd")
	if small.Exceeded() != vfs.LimitHeld {
		t.Errorf("got %q", small.Exceeded())
	}
}

func TestFloodsEndAtTheirLimits(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a")
	limits := vfs.Limits{Bytes: 1 << 20, Files: 100, Open: 50}
	tests := map[string]struct {
		want  vfs.Limit
		lines []string
	}{
		"writing":               {vfs.LimitBytes, []string{"floodwrite /tmp/x = 1048576 " + broken, "write /tmp/y z = ok " + broken, "rm /tmp/x = ok", "write /tmp/y z = ok"}},
		"a hole of a terabyte":  {vfs.LimitBytes, []string{"at /out/x 1099511627776 = ok " + broken, "at /out/x 9223372036854775807 = ok Invalid argument"}},
		"truncating":            {vfs.LimitBytes, []string{"write /tmp/x y = ok", "truncate /tmp/x 4611686018427387904 = ok " + broken, "truncate /tmp/x 9223372036854775807 = ok " + broken, "read /tmp/x = y"}},
		"files without a name":  {vfs.LimitBytes, []string{"keep /tmp/x = ok", "keep /tmp/x = ok " + broken, "close = ok", "keep /tmp/x = ok"}},
		"files":                 {vfs.LimitFiles, []string{"floodfiles /out = 100 " + broken, "mkdir /tmp/d = ok " + broken, "rm /out/1 = ok", "mkdir /tmp/d = ok", "mkdir /tmp/e = ok " + broken}},
		"open files":            {vfs.LimitOpen, []string{"floodopen /src/a = 49 " + broken, "read /src/a = " + broken, "close = ok", "read /src/a = a"}},
		"open files in memory":  {vfs.LimitOpen, []string{"write /tmp/a a = ok", "floodopen /tmp/a = 49 " + broken, "close = ok", "read /tmp/a = a"}},
		"open directories":      {vfs.LimitOpen, []string{"floodopen /src = 49 " + broken, "close = ok", "floodopen / = 49 " + broken, "close = ok", "ls / = outd srcd tmpd"}},
		"what fails to be open": {"", []string{"floodmissing /src/no 200 = ok", "read /src/a = a"}},
		"within the limits":     {"", []string{"write /tmp/x y = ok", "read /src/a = a"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := mount(t, dir, vfs.Config{Limits: limits}, "**")
			run(t, f, tt.lines...)
			if got := f.Exceeded(); got != tt.want {
				t.Errorf("exceeded %q, want %q", got, tt.want)
			}
			if gap := f.All().Gap(); (gap != "") != (tt.want != "") {
				t.Errorf("got gap %q", gap)
			}
		})
	}
}

func TestAPathThatRenamingMadeTooLongIsNoOutput(t *testing.T) {
	f := mount(t, t.TempDir(), vfs.Config{Limits: vfs.Limits{Files: 40}})
	run(t, f, "nest /out = ok")
	got := f.Drain()
	if len(got) != 1 || f.Exceeded() != vfs.LimitPath {
		t.Errorf("got %d files, exceeded %q", len(got), f.Exceeded())
	}
	run(t, f, "floodfiles /out = 40 "+broken) // nothing of it is left behind
}

func TestWhatIsTooLargeIsReadButNotRecorded(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a")
	big := strings.Repeat("0123456789", 10_000)
	if err := os.WriteFile(filepath.Join(dir, "big"), []byte(big), 0o600); err != nil {
		t.Fatal(err)
	}
	f := mount(t, dir, vfs.Config{Limits: vfs.Limits{Held: 250_000}}, "**")
	run(t, f, "floodread /src/big = 100", "seek /src/big -3 = 789", "read /src/a = a", "close = ok")
	if gap := f.Take().Gap(); !strings.Contains(gap, "big is too large") {
		t.Errorf("got gap %q", gap)
	}
	run(t, f, "floodread /src/a = 100", "close = ok", "seek /src/big -3 = 789")
	if since := f.Take(); since.Gap() != "" {
		t.Errorf("got gap %q once there is room again", since.Gap())
	}
}

func TestMoreQuestionsThanAreRecordedLeaveAGap(t *testing.T) {
	f := mount(t, t.TempDir(), vfs.Config{Limits: vfs.Limits{Trace: trace.Limits{Facts: 100}}}, "**")
	run(t, f, "floodmissing /src/no 1000 = ok")
	if got := f.Take(); got.Len() != 100 || got.Gap() == "" {
		t.Errorf("got %d facts, gap %q", got.Len(), got.Gap())
	}
}

func TestWhatIsRecordedIsWhatWasRead(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a")
	f := mount(t, dir, vfs.Config{}, "**")
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old content")
	file, errno := f.OpenFile("src/a", 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	b := make([]byte, 4)
	if n, errno := file.Read(b); n != 4 || errno != 0 || string(b) != "old " {
		t.Fatalf("got %q, %v", b[:n], errno)
	}
	write("NEW CONTENT")
	if n, errno := file.Pread(b, 4); n != 4 || errno != 0 || string(b) != "cont" {
		t.Errorf("got %q, %v, want what was there at first", b[:n], errno)
	}
	_ = file.Close()
	if gap := f.All().Gap(); gap != "" {
		t.Errorf("got gap %q", gap)
	}
	run(t, f, "read /src/a = NEW CONTENT")
	if gap := f.All().Gap(); !strings.Contains(gap, "a changed") {
		t.Errorf("got gap %q, want that the file changed", gap)
	}
}
