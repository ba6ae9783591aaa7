//go:build linux

package main_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// wanted is a Go that no machine has, so that it must be fetched.
const wanted = "1.99.1"

// platform is the fresh machine's, whatever this one or its emulator is.
const platform = "linux-amd64"

// fresh is a machine as a newcomer has it: a checkout with the scripts that
// bring what is missing, an empty home, a module proxy on loopback, and only
// the commands that every Debian has.
type fresh struct {
	checkout, home, bin, proxy string
	served                     atomic.Value // []byte: what the proxy sends as the toolchain
	fetched                    atomic.Int32 // how often it did
}

func newFresh(t *testing.T) *fresh {
	t.Helper()
	f := &fresh{checkout: t.TempDir(), home: t.TempDir(), bin: t.TempDir()}
	f.served.Store(toolchainZip(t))
	for _, name := range []string{"bootstrap", "toolchain"} {
		text, err := os.ReadFile("../../.ci/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f.write(t, filepath.Join(f.checkout, ".ci", name), string(text))
	}
	f.write(t, filepath.Join(f.checkout, "go.mod"), "module x\n\ngo "+wanted+"\n")
	f.write(t, filepath.Join(f.checkout, ".ci/toolchain.sums"),
		fmt.Sprintf("%x  v0.0.1-go%s.%s.zip\n", sha256.Sum256(f.zip()), wanted, platform))
	for _, name := range []string{
		"sh", "cat", "chmod", "dirname", "env", "find", "grep", "head", "mkdir", "mktemp",
		"mv", "rm", "sed", "sha256sum", "sort", "tr",
	} {
		f.link(t, name)
	}
	f.command(t, "uname", `[ "$1" = -s ] && echo Linux || echo x86_64`)
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(server.Close)
	f.proxy = server.URL
	return f
}

// serve answers the scripts but no go command of this machine, which would
// have the checksum database asked for what is no real release.
func (f *fresh) serve(w http.ResponseWriter, r *http.Request) {
	path := fmt.Sprintf("/golang.org/toolchain/@v/v0.0.1-go%s.%s.zip", wanted, platform)
	if r.URL.Path != path || strings.HasPrefix(r.UserAgent(), "Go-http-client") {
		http.NotFound(w, r)
		return
	}
	f.fetched.Add(1)
	_, _ = w.Write(f.zip())
}

func (f *fresh) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// link puts a command of this machine on the fresh machine's PATH.
func (f *fresh) link(t *testing.T, name string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("these tests need %s: %v", name, err)
	}
	f.command(t, name, fmt.Sprintf("exec '%s' \"$@\"", path))
}

// linkPython brings what fetches and unpacks where there is no curl and no
// unzip: the interpreter itself, as python3 may be a script that picks one.
func (f *fresh) linkPython(t *testing.T) {
	t.Helper()
	path, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatalf("these tests need python3: %v", err)
	}
	f.command(t, "python3", fmt.Sprintf("exec '%s' \"$@\"", strings.TrimSpace(string(path))))
}

// command puts a small script on the fresh machine's PATH.
func (f *fresh) command(t *testing.T, name, script string) {
	t.Helper()
	f.write(t, filepath.Join(f.bin, name), "#!/bin/sh\n"+script+"\n")
}

type result struct {
	out, err string
	code     int
}

func (f *fresh) run(t *testing.T, script string, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(f.checkout, ".ci", script), args...)
	cmd.Env = []string{"HOME=" + f.home, "PATH=" + f.bin, "GOPROXY=direct," + f.proxy + "/"}
	cmd.Stdout, cmd.Stderr = &out, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// toolchainZip makes what the module proxy has for a toolchain, in small.
func toolchainZip(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	prefix := fmt.Sprintf("golang.org/toolchain@v0.0.1-go%s.%s/", wanted, platform)
	for name, text := range map[string]string{
		"bin/go":               "#!/bin/sh\necho it works\n",
		"pkg/tool/any/compile": "#!/bin/sh\n",
		"src/_go.mod":          "module std\n",
	} {
		entry, err := w.Create(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = entry.Write([]byte(text))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestGoIsFetchedCheckedAndKept(t *testing.T) {
	f := newFresh(t)
	f.linkPython(t)
	want := filepath.Join(f.home, ".cache/wr/toolchain", "go"+wanted+"."+platform, "bin/go")
	if got := f.run(t, "toolchain", "--installed"); got.code != 1 || f.fetched.Load() != 0 {
		t.Errorf("got %+v and %d fetches, want nothing installed and nothing fetched", got, f.fetched.Load())
	}

	for range 2 {
		if got := f.run(t, "toolchain"); got.code != 0 || got.out != want+"\n" {
			t.Fatalf("got %+v, want %s", got, want)
		}
	}

	if got := f.fetched.Load(); got != 1 {
		t.Errorf("fetched %d times, want once", got)
	}
	if out, err := exec.CommandContext(t.Context(), want).Output(); err != nil || string(out) != "it works\n" {
		t.Errorf("the go that was fetched: %q, %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(want, "../../src/go.mod")); err != nil {
		t.Error(err)
	}
}

func TestGoMayBeFetchedTwiceAtOnce(t *testing.T) {
	f := newFresh(t)
	f.linkPython(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if got := f.run(t, "toolchain"); got.code != 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
	group.Wait()
	f.wantOnlyInCache(t, "go"+wanted+"."+platform)
}

func TestWhatIsNotTheWantedGoIsRefused(t *testing.T) {
	tests := map[string]struct {
		spoil func(*fresh)
		want  string
	}{
		"a damaged zip":   {func(f *fresh) { f.served.Store(f.zip()[:len(f.zip())-1]) }, "wrong checksum; refused"},
		"nothing":         {func(f *fresh) { f.served.Store([]byte{}) }, "wrong checksum; refused"},
		"an unknown sum":  {func(f *fresh) { f.write(t, f.checkout+"/.ci/toolchain.sums", "") }, "no checksum"},
		"a missing proxy": {func(f *fresh) { f.proxy = "off" }, "names no http(s) proxy"},
		"a dead proxy":    {func(f *fresh) { f.proxy = "http://127.0.0.1:1" }, "could not be fetched"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFresh(t)
			f.linkPython(t)
			tt.spoil(f)
			if got := f.run(t, "toolchain"); got.code != 3 || got.out != "" || !strings.Contains(got.err, tt.want) {
				t.Errorf("got %+v, want exit 3 and %q", got, tt.want)
			}
			f.wantOnlyInCache(t)
		})
	}
}

// zip is what the proxy sends.
func (f *fresh) zip() []byte { return f.served.Load().([]byte) }

// wantOnlyInCache fails if the toolchain cache holds anything else.
func (f *fresh) wantOnlyInCache(t *testing.T, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(f.home, ".cache/wr/toolchain"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the cache holds %q, want %q", got, want)
	}
}

func TestAGoThatIsNewEnoughIsUsed(t *testing.T) {
	f := newFresh(t)
	for version, want := range map[string]bool{
		"go" + wanted: true, "go1.100": true, "go1.99.2 X:rangefunc": true, "devel go2.0-abc": true,
		"go1.99rc1": false, "go1.9": false,
	} {
		f.command(t, "go", "[ \"$GOTOOLCHAIN\" = local ] && echo '"+version+"'")
		got := f.run(t, "toolchain", "--installed")
		if used := got.out == f.bin+"/go\n"; used != want {
			t.Errorf("go %s: used %v, want %v (%+v)", version, used, want, got)
		}
	}
}

func TestBootstrapSaysWhatItInstallsAndInstallsOnce(t *testing.T) {
	f := newFresh(t)
	log := filepath.Join(f.home, "apt.log")
	f.command(t, "go", "echo go"+wanted)
	f.command(t, "git", "")
	f.command(t, "id", "echo 0")
	f.command(t, "apt-get", `
echo "$DEBIAN_FRONTEND $*" >>`+log+`
case $* in *install*) : >`+f.bin+`/make && chmod +x `+f.bin+`/make ;; esac`)

	first, second := f.run(t, "bootstrap", "build"), f.run(t, "bootstrap", "build")

	if first.code != 0 || !strings.Contains(first.err, "will now install: make\n") || first.out != f.bin+"/go\n" {
		t.Errorf("got %+v, want make announced and the path of go", first)
	}
	if second.code != 0 || second.err != "" || second.out != first.out {
		t.Errorf("the second time: got %+v, want only the path of go", second)
	}
	text, err := os.ReadFile(log)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err != nil || len(lines) != 2 || !strings.HasSuffix(lines[0], "update") ||
		!strings.HasPrefix(lines[1], "noninteractive ") || !strings.HasSuffix(lines[1], "install make") {
		t.Errorf("apt-get ran as %q, %v", lines, err)
	}
}

func TestBootstrapWithoutAptListsWhatToInstall(t *testing.T) {
	f := newFresh(t)
	f.command(t, "go", "echo go"+wanted)
	got := f.run(t, "bootstrap", "engine", "build")
	if got.code != 3 || got.out != "" || !strings.Contains(got.err, "no apt-get") ||
		!strings.Contains(got.err, " make git ") || !strings.Contains(got.err, " mmdebstrap") {
		t.Errorf("got %+v, want exit 3 and the list", got)
	}
}

func TestBootstrapThatCannotInstallFails(t *testing.T) {
	for name, apt := range map[string]string{"apt-get fails": "exit 100", "apt-get lies": "exit 0"} {
		t.Run(name, func(t *testing.T) {
			f := newFresh(t)
			f.command(t, "go", "echo go"+wanted)
			f.command(t, "id", "echo 0")
			f.command(t, "apt-get", apt)
			if got := f.run(t, "bootstrap", "build"); got.code != 3 || !strings.Contains(got.err, "by hand") {
				t.Errorf("got %+v, want exit 3 and the list", got)
			}
		})
	}
}

func TestTheGoOfGoModHasSums(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../../.ci/toolchain.sums")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(mod), "\ngo ")
	version, _, _ := strings.Cut(rest, "\n")
	for _, arch := range []string{"amd64", "arm64"} {
		if want := fmt.Sprintf("v0.0.1-go%s.linux-%s.zip\n", version, arch); !strings.Contains(string(sums), want) {
			t.Errorf(".ci/toolchain.sums lacks %q: the sha256 of that file of the module golang.org/toolchain", want)
		}
	}
}

func TestBootstrapRefusesAnUnknownNeed(t *testing.T) {
	f := newFresh(t)
	f.command(t, "go", "echo go"+wanted)
	if got := f.run(t, "bootstrap", "everything"); got.code != 2 || !strings.Contains(got.err, "usage:") {
		t.Errorf("got %+v, want exit 2 and the usage", got)
	}
}

// fakePython makes python3 a script that notes what pip is to install, and fails
// where a file says so.
func (f *fresh) fakePython(t *testing.T) (log, fails string) {
	t.Helper()
	log, fails = filepath.Join(f.home, "pip.log"), filepath.Join(f.home, "fails")
	f.command(t, "python3", `
case $* in
"-m venv "*) mkdir -p "$3/bin" && cat "$0" >"$3/bin/python3" && chmod +x "$3/bin/python3" ;;
"-m pip install "*) [ ! -e `+fails+` ] && echo "$0 $*" >>`+log+` ;;
esac`)
	return log, fails
}

func TestAnEnvironmentIsMadeOnceOfEachList(t *testing.T) {
	f := newFresh(t)
	log, fails := f.fakePython(t)
	script, err := os.ReadFile("../../.ci/pytest/environments")
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(f.checkout, ".ci/pytest/old.txt")
	f.write(t, filepath.Join(f.checkout, ".ci/pytest/environments"), string(script))
	f.write(t, list, "pytest==6\n")
	run := func() result { t.Helper(); return f.run(t, "pytest/environments") }

	f.write(t, fails, "")
	if got := run(); got.code != 3 || !strings.Contains(got.err, "bin/pytest/old could not be made") {
		t.Errorf("without an index: got %+v, want exit 3 and the environment", got)
	}
	if err := os.Remove(fails); err != nil {
		t.Fatal(err)
	}
	if got := run(); got.code != 0 || !strings.Contains(got.err, "bin/pytest/old is made of .ci/pytest/old.txt") {
		t.Errorf("the first time: got %+v", got)
	}
	if got := run(); got.code != 0 || got.err != "" {
		t.Errorf("the second time: got %+v, want nothing said", got)
	}
	f.write(t, list, "pytest==6.1\n")
	if got := run(); got.code != 0 || got.err == "" {
		t.Errorf("with another list: got %+v, want it made anew", got)
	}
	const want = "bin/pytest/old/bin/python3 -m pip install -q -r .ci/pytest/old.txt\n"
	if text, err := os.ReadFile(log); err != nil || string(text) != want+want {
		t.Errorf("pip ran as %q, %v, want twice %q", text, err, want)
	}
}

func TestEveryListOfPytestIsPinned(t *testing.T) {
	lists, err := filepath.Glob("../../.ci/pytest/*.txt")
	if err != nil || len(lists) < 2 {
		t.Fatalf("the lists are %v, %v, want an old and a new one", lists, err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") && !strings.Contains(line, "==") {
				t.Errorf("%s: %q names no version", list, line)
			}
		}
	}
}
