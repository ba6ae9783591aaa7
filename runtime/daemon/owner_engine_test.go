//go:build linux && engine

package daemon

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// caller is a user of no image and of no machine.
var caller = spec.Owner{UID: 4711, GID: 4712}

// writes makes, changes, renames and opens up files of every kind in /app.
const writes = `
	cd /app && mkdir d moved && echo x >> old && echo y > d/new && ln -s new d/link && mkfifo pipe
	mv d moved/ && chmod 750 moved && chmod 4755 moved/d/new && ln moved/d/new hard`

func TestWrittenFilesBelongToTheCaller(t *testing.T) {
	f := start(t)
	for _, kind := range []string{"the disk", "tmpfs", "ext4", "xfs", "btrfs"} {
		t.Run("on "+kind, func(t *testing.T) {
			dir := fileSystem(t, kind)
			for user, inside := range map[string]string{"tester": "1000:1000", "root": "0:0", "4711:4712": "4711:4712"} {
				t.Run("by "+user, func(t *testing.T) {
					work := callersDir(t, dir)
					got := f.must(ownedBox(user, work), sh(writes+" && stat -c %u:%g . old moved moved/d/new moved/d/link pipe hard"))
					if want := strings.Repeat(inside+"\n", 7); got != want {
						t.Errorf("inside: got %q, want %q", got, want)
					}
					wantOwned(t, work, 8)
					wantPermissions(t, filepath.Join(work, "moved"), 0o750)
					wantPermissions(t, filepath.Join(work, "hard"), 0o755|fs.ModeSetuid)
				})
			}
		})
	}
}

// Kernels up to 6.18 at least do not map owners on an overlay.
func TestAWorkspaceOnAnOverlayIsMappedOrRefusedByName(t *testing.T) {
	f := start(t)
	work := callersDir(t, fileSystem(t, "overlay"))
	_, _, err := f.output(t.Context(), ownedBox("root", work), sh(writes))
	if err == nil {
		wantOwned(t, work, 8)
		return
	}
	if said := fault.Of(err); said.Code != "mount.no_idmap" || !strings.Contains(said.Message, "(overlay)") || said.Next == "" {
		t.Errorf("got %v", err)
	}
	wantOwned(t, work, 2)
	f.must(ownedBox("4711:4712", work), sh(writes)) // the caller's own user needs no mapping
	wantOwned(t, work, 8)
}

func TestAFileOfAnotherOwnerIsNamedWhenTheCommandFails(t *testing.T) {
	f := start(t)
	for name, other := range map[string]spec.Owner{
		"another user":  {UID: 4713, GID: 4712},
		"another group": {UID: 4711, GID: 4713},
	} {
		t.Run(name, func(t *testing.T) {
			work := callersDir(t, t.TempDir())
			theirs := filepath.Join(work, "theirs")
			if err := os.Mkdir(theirs, 0o777); err != nil {
				t.Fatal(err)
			}
			chown(t, theirs, other)
			box := ownedBox("root", work)
			text, exit, err := f.output(t.Context(), box, sh("echo x > /app/theirs/new"))
			if err != nil || exit.Code == 0 || !strings.Contains(text, "Permission denied") {
				t.Errorf("got %q, exit %+v, error %v", text, exit, err)
			}
			want := fmt.Sprintf("%s belongs to %d:%d and not to 4711:4712", theirs, other.UID, other.GID)
			if s := exit.Suspect; s == nil || s.Code != "mount.foreign_uid" || !strings.HasPrefix(s.Message, want) ||
				s.Next != fmt.Sprintf("sudo chown -R 4711:4712 %q", theirs) {
				t.Errorf("got %v, want %s", s, want)
			}
			if _, exit, _ := f.output(t.Context(), box, sh("true")); exit.Suspect != nil {
				t.Errorf("after a success: %v", exit.Suspect)
			}
			chown(t, theirs, caller)
			if _, exit, _ := f.output(t.Context(), box, sh("echo x > /app/theirs/new; false")); exit.Suspect != nil {
				t.Errorf("with one owner: %v", exit.Suspect)
			}
		})
	}
}

func TestAProcessOfAnotherUserMakesNoFilesInTheWorkspace(t *testing.T) {
	f := start(t)
	work := callersDir(t, t.TempDir())
	if err := os.Chmod(work, 0o777); err != nil {
		t.Fatal(err)
	}
	text, exit, err := f.output(t.Context(), ownedBox("root", work), sh(`su tester -c 'echo x > /app/new'`))
	if err != nil || exit.Code == 0 || !strings.Contains(text, "Value too large for defined data type") {
		t.Errorf("got %q, exit %+v, error %v", text, exit, err)
	}
	wantOwned(t, work, 2)
}

// ownedBox is a container that runs as user, with work of the caller at /app.
func ownedBox(user, work string) spec.Container {
	c := box()
	c.User, c.Caller = user, caller
	c.Mounts = []spec.Mount{{Source: work, Target: "/app", Owned: true}}
	return c
}

// wantOwned fails unless there are n files below dir, itself included, and all
// are the caller's.
func wantOwned(t *testing.T, dir string, n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if got := ownerOf(info); got != caller {
			t.Errorf("%s belongs to %+v on disk", path, got)
		}
		n--
		return nil
	})
	if err != nil || n != 0 {
		t.Errorf("error %v, %d files too few", err, n)
	}
}

func wantPermissions(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode() & (fs.ModePerm | fs.ModeSetuid); got != want {
		t.Errorf("%s has mode %v, want %v", path, got, want)
	}
}

func chown(t *testing.T, path string, to spec.Owner) {
	t.Helper()
	if err := os.Chown(path, to.UID, to.GID); err != nil {
		t.Fatal(err)
	}
}

// callersDir makes a directory with one file, both of the caller.
func callersDir(t *testing.T, parent string) string {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "work")
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	chown(t, dir, caller)
	chown(t, old, caller)
	return dir
}

// fileSystem is a directory on a file system of that kind until the test's
// end. Without the kind's programs, or its support in the kernel, the test is
// skipped.
func fileSystem(t *testing.T, kind string) string {
	t.Helper()
	dir := t.TempDir()
	if kind == "the disk" {
		return dir
	}
	at := filepath.Join(dir, "at")
	switch kind {
	case "tmpfs":
		mountTmpfs(t, at)
	case "overlay":
		for _, layer := range []string{"lower", "upper", "work"} {
			if err := os.Mkdir(filepath.Join(dir, layer), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		mountOn(t, at, "-t", kind, "-o", fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", dir), kind)
	default:
		mountOn(t, at, "-t", kind, "-o", "loop", formatted(t, kind, filepath.Join(dir, "image")))
	}
	return at
}

// formatted makes a file system in a sparse file.
func formatted(t *testing.T, kind, image string) string {
	t.Helper()
	mkfs, err := exec.LookPath("mkfs." + kind)
	if err != nil {
		t.Fatalf("no programs for %s, see .ci/bootstrap: %v", kind, err)
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 512<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), mkfs, image).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", mkfs, err, out)
	}
	return image
}

func mountTmpfs(t *testing.T, dir string) {
	t.Helper()
	mountOn(t, dir, "-t", "tmpfs", "-o", "size=16m", "tmpfs")
}

// mountOn makes dir and mounts there what the arguments of mount(8) say, until
// the test's end.
func mountOn(t *testing.T, dir string, args ...string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", append(args, dir)...).CombinedOutput(); err != nil {
		t.Skipf("mount %q: %v: %s", args, err, out)
	}
	// An engine counts as stopped before its process is gone.
	t.Cleanup(func() {
		eventually(t, dir+" can be unmounted", func() bool { return syscall.Unmount(dir, 0) == nil })
	})
}
