package testrun_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/runtime/spec"
)

var (
	instant = time.Date(2026, 11, 23, 2, 15, 33, 0, time.UTC)
	myself  = spec.Owner{UID: os.Getuid(), GID: os.Getgid()}
)

// someone is another user where this process can give files away.
func someone() spec.Owner {
	if os.Getuid() == 0 {
		return spec.Owner{UID: 12345, GID: 23456}
	}
	return myself
}

func newRun(t testing.TB, root string, now time.Time) testrun.RunDir {
	t.Helper()
	return newRunOf(t, root, now, myself)
}

func newRunOf(t testing.TB, root string, now time.Time, owner spec.Owner) testrun.RunDir {
	t.Helper()
	d, err := testrun.NewRunDir(root, now, owner)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestARunHasAnIDThatSortsByTime(t *testing.T) {
	root := t.TempDir()
	first := newRun(t, root, instant)
	second := newRun(t, root, instant.Add(time.Millisecond))
	if !regexp.MustCompile(`^20261123-021533-[0-9a-f]{4}$`).MatchString(first.ID) || first.ID >= second.ID {
		t.Errorf("ids are %s and %s", first.ID, second.ID)
	}
	if want := filepath.Join(root, ".wr", "runs", first.ID); first.Path != want {
		t.Errorf("path is %s, want %s", first.Path, want)
	}
	if got, ok := testrun.Latest(root); !ok || got.ID != second.ID || got.Path != second.Path {
		t.Errorf("the latest is %+v, want %s", got, second.ID)
	}
	if later := newRun(t, root, instant.Add(time.Second-1)); later.ID <= second.ID || later.ID != "20261123-021533-ffff" {
		t.Errorf("the id of the second's last moment is %s", later.ID)
	}
	if same := newRun(t, root, instant.Add(time.Second-1)); same.ID != "20261123-021534-0000" {
		t.Errorf("the id after the second's last is %s", same.ID)
	}
	if ignore, err := os.ReadFile(filepath.Join(root, ".wr", ".gitignore")); err != nil || string(ignore) != "*\n" {
		t.Errorf(".gitignore is %q, %v", ignore, err)
	}
}

func TestManyStartsInOneInstantGetARunEach(t *testing.T) {
	root := t.TempDir()
	var all sync.WaitGroup
	ids := make([]string, 40)
	for i := range ids {
		all.Go(func() {
			d, err := testrun.NewRunDir(root, instant, myself)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			ids[i] = d.ID
			if got, ok := testrun.Latest(root); !ok || !strings.HasPrefix(got.ID, "20261123-021533-") {
				t.Errorf("in the middle the latest is %+v", got)
			}
		})
	}
	all.Wait()
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 40 {
		t.Errorf("40 starts got %d ids", n)
	}
	if left, _ := filepath.Glob(filepath.Join(root, ".wr", "runs", "latest.*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestOldRunsAreRemovedButNeverALivingOne(t *testing.T) {
	root := t.TempDir()
	alive := newRun(t, root, instant)
	var ended []testrun.RunDir
	for i := range 55 {
		d := newRun(t, root, instant.Add(time.Duration(i+1)*time.Second))
		d.Close()
		ended = append(ended, d)
	}
	for i, d := range append([]testrun.RunDir{alive}, ended...) {
		_, err := os.Stat(d.Path)
		if gone := errors.Is(err, os.ErrNotExist); gone != (i > 0 && i < 56-50) {
			t.Errorf("run %d of 56: gone is %v", i+1, gone)
		}
	}
	alive.Close()
	newRun(t, root, instant.Add(time.Hour))
	if _, err := os.Stat(alive.Path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a run that has ended is kept: %v", err)
	}
}

func TestWhatIsNoRunIsNeverRemoved(t *testing.T) {
	root := t.TempDir()
	keep := filepath.Join(root, ".wr", "runs", "00000000-mine")
	if err := os.MkdirAll(keep, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 52 {
		newRun(t, root, instant.Add(time.Duration(i)*time.Second)).Close()
	}
	if _, err := os.Stat(keep); err != nil {
		t.Error(err)
	}
}

func TestWithoutRunsThereIsNoLatest(t *testing.T) {
	root := t.TempDir()
	if d, ok := testrun.Latest(root); ok {
		t.Errorf("got %+v", d)
	}
}

func TestTheLatestIsFoundWithoutTheLink(t *testing.T) {
	root := t.TempDir()
	newRun(t, root, instant)
	last := newRun(t, root, instant.Add(time.Second))
	link := filepath.Join(root, ".wr", "runs", "latest")
	for _, broken := range []func() error{
		func() error { return nil },
		func() error { return os.Symlink("20261123-021533-dead", link) },
		func() error { return os.Symlink("../../..", link) },
	} {
		if err := errors.Join(os.RemoveAll(link), broken()); err != nil {
			t.Fatal(err)
		}
		if d, ok := testrun.Latest(root); !ok || d.ID != last.ID {
			t.Errorf("got %+v, want %s", d, last.ID)
		}
		if err := os.RemoveAll(link); err != nil {
			t.Fatal(err)
		}
	}
}

func TestProjectsHaveDirectoriesOfTheirOwn(t *testing.T) {
	d := testrun.RunDir{Path: "/run"}
	seen := map[string]string{}
	for _, project := range []string{".", "a", "a/b", "a+b", "a%2Bb", "a/b/c", "a/+b", "a+/b", "+", "%", "%2B", "root"} {
		dir := d.Unit(project)
		if other, taken := seen[dir]; taken {
			t.Errorf("%s and %s share %s", project, other, dir)
		}
		seen[dir] = project
		if filepath.Dir(dir) != "/run/projects" {
			t.Errorf("%s is in %s", project, dir)
		}
	}
	if got := d.Unit("apps/web"); got != "/run/projects/apps+web" {
		t.Errorf("apps/web is in %s", got)
	}
}

func TestAllOfARunBelongsToItsOwner(t *testing.T) {
	owner := someone()
	d := newRunOf(t, t.TempDir(), instant, owner)
	for _, name := range []string{"", "../latest", "..", "../..", "../../.gitignore", "lock", "projects"} {
		assertOwner(t, filepath.Join(d.Path, name), owner)
	}
}

func TestGitSeesNothingOfARun(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatalf("this test needs git: %v", err)
	}
	root := t.TempDir()
	newRun(t, root, instant)
	for _, args := range [][]string{{"init", "-q"}, {"status", "--porcelain"}} {
		out, err := exec.CommandContext(t.Context(), git, append([]string{"-C", root}, args...)...).CombinedOutput()
		if err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("git %v: %v\n%s", args, err, out)
		}
	}
}
