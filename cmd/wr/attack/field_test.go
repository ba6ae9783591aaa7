package attack

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/report"
)

func TestMain(m *testing.M) {
	if to := os.Getenv(measured); to != "" {
		os.Exit(measure(to))
	}
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built are wr and the modules of all tests, built once, with the cache that they
// share.
var built programs

type programs struct {
	once sync.Once
	dir  string
	err  error
}

// ready builds what is not built, and has the modules compiled: how long that takes
// is no matter of these tests.
func ready(t *testing.T) {
	t.Helper()
	built.once.Do(func() {
		if built.build(); built.err == nil {
			built.compile(t)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
}

// compile has wr compile both modules, by what they are for.
func (p *programs) compile(t *testing.T) {
	f := plantField(t)
	attack{}.arm(f)
	f.lint()
	if found, err := filepath.Glob(filepath.Join(f.cache, "compiled", "*", "*", "record.json")); err != nil || len(found) != 2 {
		p.err = fmt.Errorf("compiled are %q, %w", found, err)
	}
}

func (p *programs) build() {
	if p.dir, p.err = os.MkdirTemp("", "attack"); p.err != nil {
		return
	}
	native := []string{"GOOS=", "GOARCH="} // of this machine, also where the test is emulated
	p.err = errors.Join(
		p.program("wr", "github.com/wr-build/wr/cmd/wr", native...),
		p.program("shady.wasm", "./testdata/shady", "GOOS=wasip1", "GOARCH=wasm"),
		p.program("good.wasm", "./testdata/good", "GOOS=wasip1", "GOARCH=wasm"))
}

func (p *programs) program(name, path string, env ...string) error {
	c := exec.Command("go", "build", "-ldflags", "-s -w", "-o", p.path(name), path)
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return nil
}

func (p *programs) path(name string) string { return filepath.Join(p.dir, name) }

// field is a workspace with a plugin that attacks and one that is good, and what
// lies beside it, which nobody must touch.
type field struct {
	t       *testing.T
	top     string // what is watched
	ws      string // the workspace in it
	cache   string
	prefix  []string // what wr is started by
	busy    string   // a directory in which the test itself renames
	exclude string   // a directory in which wr looks for no projects
}

func newField(t *testing.T) *field {
	t.Helper()
	ready(t)
	return plantField(t)
}

// plantField plants a field with the good plugin in it.
func plantField(t *testing.T) *field {
	t.Helper()
	top := t.TempDir()
	f := &field{t: t, exclude: "none", top: top, ws: filepath.Join(top, "ws"), cache: built.path("cache")}
	f.write("outside/canary", "sings")
	f.write("ws/wr.toml", "[workspace]\n")
	f.write("ws/p/wr.toml", "[project]\n")
	f.write("ws/p/a.py", "x = 1  # TODO\n")
	f.module("good", built.path("good.wasm"), clock)
	return f
}

// write makes a file below the top.
func (f *field) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.top, name)
	f.must(os.MkdirAll(filepath.Dir(path), 0o755))
	f.must(os.WriteFile(path, []byte(text), 0o644))
}

// link makes a symbolic link below the top.
func (f *field) link(name, target string) {
	f.t.Helper()
	path := filepath.Join(f.top, name)
	f.must(os.MkdirAll(filepath.Dir(path), 0o755))
	f.must(os.Symlink(target, path))
}

func (f *field) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// manifest is what a plugin says of itself.
const manifest = `abi = "wr/1"
name = %q
version = "1.0.0"
kind = "rpc"
%s
[provides]
lint = { globs = ["**/*.py"] }
[[capabilities]]
name = "fs.read"
value = "**"
reason = "reads all that there is"
[config]
type = "object"
`

// clock has a plugin be asked each time: what it says with the time of day in its hands
// is not kept, and the cache is that of all fields.
const clock = `[[capabilities]]
name = "clock"
reason = "is to run each time"
`

// module lays a module into the workspace, with its manifest beside it. More are
// further lines of that.
func (f *field) module(name, path, more string) {
	f.t.Helper()
	to := filepath.Join(f.ws, "tools", name+".wasm")
	f.must(os.MkdirAll(filepath.Dir(to), 0o755))
	text, err := os.ReadFile(path)
	f.must(errors.Join(err, os.WriteFile(to, text, 0o644)))
	f.write("ws/tools/"+name+".wasm.toml", fmt.Sprintf(manifest, name, more))
}

// set has the shady plugin do something.
func (f *field) set(config map[string]any) {
	f.t.Helper()
	text := fmt.Sprintf("[workspace]\nexclude = [%q]\n[plugins.shady.config]\n", f.exclude)
	for _, key := range slices.Sorted(maps.Keys(config)) {
		value, err := json.Marshal(config[key]) // which TOML reads as well
		f.must(err)
		text += key + " = " + string(value) + "\n"
	}
	f.write("ws/wr.toml", text)
}

// outcome is how wr ended.
type outcome struct {
	stdout, stderr string
	code           int
	took           time.Duration
	peak           int64 // bytes of memory of the largest of its processes
}

// command is wr in the workspace.
func (f *field) command(args ...string) *exec.Cmd {
	line := append(slices.Clone(f.prefix), append([]string{built.path("wr")}, args...)...)
	cmd := exec.CommandContext(f.t.Context(), line[0], line[1:]...)
	cmd.Dir = f.ws
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(f.cache, "home"), "WR_CACHE_DIR=" + f.cache, "NO_COLOR=1", "WR_SECRET_TOKEN=hush"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// measured names a file: a process of these tests with that variable runs its
// arguments, and writes there what they used. Why one between: Linux counts what a
// parent uses into the peak of its child, and these tests use much by then.
const measured = "WR_ATTACK_MEASURED"

// measure is such a process. It ends as what it runs does.
func measure(to string) int {
	_ = os.Unsetenv(measured)
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if err := os.WriteFile(to, []byte(strconv.FormatInt(usage.Maxrss<<10, 10)), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 127
	}
	return cmd.ProcessState.ExitCode()
}

// measured is cmd run by such a process. peak reads what it used, in bytes.
func (f *field) measured(cmd *exec.Cmd) (peak func() int64) {
	self, err := os.Executable()
	f.must(err)
	to := filepath.Join(f.t.TempDir(), "peak")
	cmd.Path, cmd.Args = self, append([]string{self, cmd.Path}, cmd.Args[1:]...)
	cmd.Env = append(cmd.Env, measured+"="+to)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with what it runs
	return func() int64 {
		f.t.Helper()
		text, err := os.ReadFile(to)
		f.must(err)
		n, err := strconv.ParseInt(string(text), 10, 64)
		f.must(err)
		return n
	}
}

// wr runs wr in the workspace, and sees that nothing of it is left.
func (f *field) wr(args ...string) outcome {
	f.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := f.command(args...)
	peak := f.measured(cmd)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		f.t.Fatalf("%v: %v\n%s", args, err, &stderr)
	}
	if left := session(f.t, cmd.Process.Pid); len(left) > 0 {
		f.t.Errorf("wr has ended and left %q", left)
	}
	return outcome{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(began), peak()}
}

// add adds a plugin of tools, which has to work.
func (f *field) add(name string, flags ...string) {
	f.t.Helper()
	args := append([]string{"plugin", "add", "tools/" + name + ".wasm", "--yes"}, flags...)
	if o := f.wr(args...); o.code != 0 {
		f.t.Fatalf("%q: exit %d: %s", args, o.code, o.stderr)
	}
}

// grant sets a limit of the shady plugin.
func (f *field) grant(limit string) {
	f.t.Helper()
	if o := f.wr("plugin", "grant", "shady", "--limit", limit); o.code != 0 {
		f.t.Fatalf("exit %d: %s", o.code, o.stderr)
	}
}

// lint runs all linters.
func (f *field) lint(args ...string) (*report.Lint, outcome) {
	f.t.Helper()
	o := f.wr(append([]string{"lint", "--recursive", "--json"}, args...)...)
	var r report.Lint
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		f.t.Fatalf("exit %d, %v: %s\n%s", o.code, err, o.stdout, o.stderr)
	}
	return &r, o
}

// linted is what one of the plugins said.
func linted(r *report.Lint, name string) report.Linted {
	for _, one := range r.Linters {
		if one.Linter == name {
			return one
		}
	}
	return report.Linted{}
}

// tree is all that there is below the top, but what wr itself keeps: of each path what
// it is, and when it was changed last.
func (f *field) tree() map[string]string {
	f.t.Helper()
	all := map[string]string{}
	f.must(filepath.WalkDir(f.top, func(path string, d fs.DirEntry, err error) error {
		if path == filepath.Join(f.ws, ".wr") {
			return fs.SkipDir
		}
		if err == nil {
			all[path], err = describe(path, d)
		}
		if errors.Is(err, syscall.ENAMETOOLONG) {
			return fs.SkipDir // nobody gets there by this name
		}
		return err
	}))
	return all
}

func describe(path string, d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	said := fmt.Sprint(info.Mode(), info.ModTime().UnixNano())
	switch {
	case info.Mode().IsRegular():
		text, err := os.ReadFile(path)
		return fmt.Sprintf("%s %x", said, sha256.Sum256(text)), err
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return said + " " + target, err
	}
	return said, nil
}

// compare fails the test if anything is not as it was.
func (f *field) compare(before map[string]string) {
	f.t.Helper()
	after := f.tree()
	for path, was := range before {
		if is := after[path]; is != was && path != f.ws && path != f.busy { // .wr was made there
			f.t.Errorf("%s was %q and is %q", path, was, is)
		}
	}
	for path := range after {
		if _, there := before[path]; !there {
			f.t.Errorf("%s is new", strings.TrimPrefix(path, f.top))
		}
	}
}
