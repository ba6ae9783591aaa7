package testrun_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/spec/spectest"
)

// smallDisk mounts a file system that is full soon.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system; cmd/wr/cli tests the same as root, with the real engine")
	}
	dir := t.TempDir()
	if err := unix.Mount("wr-test", dir, "tmpfs", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill uses up the space of dir; the error is that it could not.
func fill(dir string) error {
	return os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 64<<20), 0o600)
}

// useNames uses up the names that dir can hold.
func useNames(dir string) {
	for i := 0; ; i++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint("name", i)))
		if err != nil {
			return
		}
		_ = f.Close()
	}
}

func doOn(t *testing.T, root string, p plan.Plan, r spec.Runner) (*report.Run, testrun.RunDir, *fault.Error) {
	t.Helper()
	result, dir, err := testrun.Do(t.Context(), p, testrun.Config{
		Builder: &spectest.Builder{}, Runner: r, Jobs: 1, Builds: 1, Owner: owner(), Now: time.Now,
	})
	if err == nil {
		t.Fatal("the run says that it was recorded")
	}
	f := fault.Of(err)
	if f.Code != fault.DiskFull || f.Class != fault.Environment || !strings.Contains(f.Message, "on the file system at "+root+":") || !strings.Contains(f.Next, "free space on the file system at "+root) {
		t.Errorf("the fault is %+v", f)
	}
	return result, dir, f
}

// cutOff checks what is left of a run whose record could not be completed.
func cutOff(t *testing.T, dir testrun.RunDir, f *fault.Error) {
	t.Helper()
	if !strings.Contains(f.Message, "no junit.xml") {
		t.Errorf("it is not said that junit.xml is missing: %s", f.Message)
	}
	if left, _ := filepath.Glob(filepath.Join(dir.Path, "*junit*")); len(left) > 0 {
		t.Errorf("of junit.xml there is %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(dir.Path, ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if !strings.Contains(f.Details, dir.Path) {
		t.Errorf("it is not said what was kept: %s", f.Details)
	}
}

func TestADiskThatIsFullBeforeARunIsNamed(t *testing.T) {
	root := smallDisk(t, "size=64k")
	if err := fill(root); err == nil {
		t.Fatal("the disk is not full")
	}
	doOn(t, root, planned(root, "p"), withoutPytest())
	if _, err := os.Stat(filepath.Join(root, ".wr", ".gitignore")); err == nil {
		t.Error("a part of .gitignore is left, which the next run would take for the user's")
	}
}

func TestADiskThatTestsFillCutsTheRecordOff(t *testing.T) {
	root := smallDisk(t, "size=1m")
	test := "def test_before(): pass\ndef test_fills():\n    with open('ballast', 'wb', 0) as f:\n        try:\n            while f.write(b'x' * 1024): pass\n        except OSError: pass\ndef test_after(): print('x' * 100000); assert 0\n"
	p := planned(root, "p")
	p.Here = "p"
	tests := p.Actions[1].Test
	tests.Command, tests.Dir = []string{python(t), "-m", "pytest", "-p", "no:cacheprovider"}, filepath.Join(root, "p")
	if err := os.Mkdir(tests.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tests.Dir, "test_a.py"), []byte(test), 0o600); err != nil {
		t.Fatal(err)
	}
	result, dir, f := doOn(t, root, p, onHost{})
	cutOff(t, dir, f)
	project := result.Project("p")
	if project.Fault != nil && strings.Contains(project.Fault.Message, ".probe") {
		t.Errorf("the message speaks of wr's own affairs: %s", project.Fault.Message)
	}
	if project.Status != event.Broken || project.Fault == nil || project.Fault.Code != fault.DiskFull || result.Exit != 3 {
		t.Errorf("the project ended as %s with %v, exit %d", project.Status, project.Fault, result.Exit)
	}
	if project.Cases[0].Outcome != event.Passed {
		t.Errorf("what passed before is %s", project.Cases[0].Outcome)
	}
	loaded, err := report.Load(filepath.Join(dir.Path, testrun.EventsFile))
	if err != nil || loaded.Finished || len(loaded.Projects) != 1 {
		t.Errorf("the events are %+v, %v, want the first of them", loaded, err)
	}
}

func TestAReportThatFindsNoPlaceIsNotThere(t *testing.T) {
	root := smallDisk(t, "size=4m,nr_inodes=64")
	full := &spectest.Runner{OnRun: func(context.Context, spec.Container, spec.Process, spec.Stdio) (spec.Exit, error) {
		useNames(root)
		return spec.Exit{Code: 127}, nil
	}}
	result, dir, f := doOn(t, root, planned(root, "p"), full)
	cutOff(t, dir, f)
	loaded, err := report.Load(filepath.Join(dir.Path, testrun.EventsFile))
	if err != nil || !loaded.Finished || loaded.Sums() != result.Sums() {
		t.Errorf("the events are %+v, %v, want all of them", loaded, err)
	}
}
