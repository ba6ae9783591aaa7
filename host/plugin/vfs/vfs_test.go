package vfs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/vfs"
)

const (
	missing  = "No such file or directory"
	readOnly = "Read-only file system"
	broken   = "I/O error"
)

func TestAGuestSeesTheWorkspaceAsGranted(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a.sh", "b.go", "d/c.sh", ".env", ".git/HEAD", "l.sh -> d/c.sh", "out.sh -> ../x")
	run(t, mount(t, dir, vfs.Config{}, "**/*.sh"),
		"ls / = outd srcd tmpd",
		"ls /src = a.sh- dd l.shL out.shL",
		"ls /src/d = c.sh-",
		"ls /src/d/ = c.sh-",
		"read /src/a.sh = a.sh",
		"read /src/d/../a.sh = a.sh",
		"read /src/l.sh = d/c.sh",
		"readlink /src/l.sh = d/c.sh",
		"stat /src/a.sh = ---------- 4 1640995200",
		"stat /src = d--------- 0 1640995200",
		"lstat /src/l.sh = L--------- 6 1640995200",
		"same /src/l.sh /src/d/c.sh = true",
		"same /src/a.sh /src/d/c.sh = false",
		"seek /src/a.sh -3 = .sh",
		"read /src/b.go = "+missing,
		"stat /src/b.go = "+missing,
		"read /src/.env = "+missing,
		"read /src/.git/HEAD = "+missing,
		"read /src/out.sh = "+missing,
		"read /src/a.sh/x = Not a directory",
		"read /src/a.sh/ = Not a directory",
		"ls /src/a.sh = Not a directory",
		"read /etc/hostname = "+missing,
		"ls /proc = "+missing,
		"read /src/../../etc/hostname = "+missing,
		"walk / = 2 10",
	)
}

func TestAToolFindsItsFilesAtTheRoot(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a.sh", "d/c.sh", ".env")
	f := mount(t, dir, vfs.Config{At: "/"}, "**/*.sh")
	run(t, f, "ls / = a.sh- dd", "read /a.sh = a.sh", "read a.sh = a.sh", "read /src/a.sh = "+missing, "write /tmp/x y = ok "+readOnly, "ls /out = "+missing)
	if got := f.Drain(); len(got) > 0 {
		t.Errorf("got %v in /out", got)
	}
}

func TestTheWorkspaceCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "d/b")
	lines := []string{
		"write /src/a x", "write /src/new x", "append /src/a x", "create /src/new", "rw /src/a", "mkdir /src/n", "rm /src/a", "unlink /src/d/b", "rmdir /src/d",
		"mv /src/a /src/b", "mv /src/a /tmp/a", "chtimes /src/a", "truncate /src/a 0", "write /x y", "mkdir /x", "mkdir /src", "write /etc/x y",
	}
	for i := range lines {
		lines[i] += " = ok " + readOnly
		if strings.HasPrefix(lines[i], "append") {
			lines[i] = strings.Replace(lines[i], "ok ", "", 1)
		}
	}
	run(t, mount(t, dir, vfs.Config{}, "**"), append(lines,
		"symlink a /src/n = ok Operation not permitted", "link /src/a /src/n = ok Operation not permitted", "link /src/a /tmp/n = ok Operation not permitted",
		"read /src/a = a")...)
}

func TestOutAndTmpAreFileSystems(t *testing.T) {
	f := mount(t, t.TempDir(), vfs.Config{})
	run(t, f,
		"ls /tmp = ",
		"write /tmp/a hello = ok",
		"read /tmp/a = hello",
		"append /tmp/a ,world = ok",
		"read /tmp/a = hello,world",
		"stat /tmp/a = ---------- 11 1640995200",
		"create /tmp/a = ok File exists",
		"truncate /tmp/a 5 = ok",
		"truncate /tmp/a 7 = ok",
		"read /tmp/a = hello\x00\x00",
		"write /tmp/a x = ok",
		"read /tmp/a = x",
		"at /tmp/s 3 = ok",
		"read /tmp/s = \x00\x00\x00x",
		"mkdir /tmp/d = ok",
		"mkdir /tmp/d = ok File exists",
		"mkdir /tmp/n/d = ok "+missing,
		"write /tmp/a/b x = ok Not a directory",
		"write /tmp/d x = ok Is a directory",
		"mv /tmp/a /tmp/d/b = ok",
		"ls /tmp/d = b-",
		"rmdir /tmp/d = ok Directory not empty",
		"unlink /tmp/d = ok Is a directory",
		"mv /tmp/d /tmp/d/e = ok Invalid argument",
		"mv /tmp/d /out/d = ok",
		"ls /tmp = s-",
		"read /out/d/b = x",
		"chtimes /out/d/b = ok",
		"mv /out /tmp/o = ok Operation not permitted",
		"rmdir /tmp = ok Operation not permitted",
		"mkdir /tmp/e = ok",
		"mv /tmp/s /tmp/e = ok File exists",
		"mv /tmp/e /tmp/s = ok Not a directory",
		"rm /tmp/s = ok",
		"rm /tmp/s = ok "+missing,
		"symlink /etc/passwd /tmp/l = ok Operation not permitted",
		"write /out/../out/z q = ok",
	)
	got := f.Drain()
	if want := map[string][]byte{"d/b": []byte("x"), "z": []byte("q")}; !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %q in /out, want %q", got, want)
	}
	run(t, f, "ls /out = ", "ls /tmp = ed")
	if again := f.Drain(); len(again) > 0 {
		t.Errorf("got %q the second time", again)
	}
	if gap := f.All().Gap(); gap != "" || f.All().Len() > 0 {
		t.Errorf("memory is recorded: %d facts, gap %q", f.All().Len(), gap)
	}
}

func TestWhatAGuestSeesIsRecorded(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a.sh", "b.go", "d/c.sh", "l.sh -> d/c.sh", "unseen.sh")
	f := mount(t, dir, vfs.Config{}, "**/*.sh")
	run(t, f, "read /src/a.sh = a.sh", "read /src/b.go = "+missing, "stat /src/nope = "+missing, "ls /src/d = c.sh-", "lstat /src/l.sh = L--------- 6 1640995200",
		"readlink /src/l.sh = d/c.sh", "read /tmp/x = "+missing, "read /etc/x = "+missing)
	taken := f.Take()
	var got []string
	for q := range taken.All() {
		got = append(got, string(q.Kind)+" "+q.Path)
	}
	want := []string{"r a.sh", "s a.sh", "s b.go", "d d", "s d", "l l.sh", "t l.sh", "s nope"}
	if taken.Gap() != "" || !slices.Equal(got, want) {
		t.Errorf("got %q, gap %q, want %q", got, taken.Gap(), want)
	}
	if a, _ := taken.Answer(trace.Question{Path: "b.go", Kind: trace.Stat}); a.Failure != trace.Missing {
		t.Errorf("got %+v for what is hidden", a)
	}
	if usage := f.Usage(); usage != (vfs.Usage{Files: 1, Bytes: 4}) {
		t.Errorf("got %+v", usage)
	}
	run(t, f, "read /src/d/c.sh = d/c.sh")
	if since, all := f.Take(), f.All(); since.Len() != 2 || all.Len() != 10 {
		t.Errorf("got %d facts since, %d in all", since.Len(), all.Len())
	}
}
