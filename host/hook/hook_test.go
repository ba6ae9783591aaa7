package hook_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestMain(m *testing.M) {
	code := m.Run()
	built.remove()
	os.Exit(code)
}

// built are the guests of all tests, built and compiled once.
var built modules

type modules struct {
	once sync.Once
	dir  string
	sums map[string]string // of the guests, by their names
	err  error
}

func (m *modules) build() {
	m.dir, m.err = os.MkdirTemp("", "hook")
	if m.err != nil {
		return
	}
	m.err = m.program("host", "../plugin/sandbox/wr-plugin")
	m.sums = map[string]string{}
	for _, name := range []string{"guest", "tool"} {
		m.err = errors.Join(m.err, m.program(name, "./testdata/"+name, "GOOS=wasip1", "GOARCH=wasm"))
		code, err := os.ReadFile(filepath.Join(m.dir, name))
		sum := sha256.Sum256(code)
		m.sums[name], m.err = hex.EncodeToString(sum[:]), errors.Join(m.err, err)
	}
}

// program builds what lies in a directory, under a name.
func (m *modules) program(name, source string, env ...string) error {
	c := exec.Command("go", "build", "-o", filepath.Join(m.dir, name), source)
	c.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return nil
}

func (m *modules) remove() {
	if m.dir != "" {
		_ = os.RemoveAll(m.dir)
	}
}

// grants are capabilities as they are printed.
type grants []string

func (g grants) Allow(c abi.Capability) *abi.Denied {
	if slices.Contains(g, c.String()) {
		return nil
	}
	return &abi.Denied{Capability: c.String(), Reason: "a test wants it", Grant: "wr plugin grant guest " + c.String()}
}

func (g grants) Texts() []string { return g }

func (g grants) Values(name string) []string {
	var all []string
	for _, text := range g {
		if c := abi.ParseCapability(text); c.Name == name {
			all = append(all, c.Value)
		}
	}
	return all
}

// bench is a workspace with a plugin.
type bench struct {
	root   string
	config hook.Config
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if built.once.Do(built.build); built.err != nil {
		t.Fatal(built.err)
	}
	b := &bench{root: t.TempDir()}
	dir, err := os.Open(b.root)
	must(t, err)
	t.Cleanup(func() { _ = dir.Close() })
	b.config = hook.Config{
		Manifest: abi.Manifest{Name: "guest", Version: "1.0.0", Stateless: true},
		Process:  sandbox.Config{Module: filepath.Join(built.dir, "guest"), Digest: built.sums["guest"], CacheDir: filepath.Join(built.dir, "code"), Root: dir, Program: filepath.Join(built.dir, "host")},
		Grants:   grants{"fs.read:**/*.py"},
		Time:     30 * time.Second,
	}
	return b
}

// remember keeps what plugins give.
func (b *bench) remember(t *testing.T) *memo.Memo {
	t.Helper()
	kept, err := cache.Open(t.TempDir(), cache.Options{})
	must(t, err)
	index := inputs.OpenIndex(filepath.Join(t.TempDir(), "index"))
	root, err := os.OpenRoot(b.root)
	must(t, err)
	b.config.Memo, err = memo.New(kept, index, root)
	must(t, err)
	t.Cleanup(func() { _, _, _, _ = b.config.Memo.Close(), root.Close(), index.Close(), kept.Close() })
	return b.config.Memo
}

func (b *bench) write(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(filepath.Join(b.root, name)), 0o755))
	must(t, os.WriteFile(filepath.Join(b.root, name), []byte(text), 0o644))
}

func (b *bench) plugin(t *testing.T) *hook.Plugin {
	t.Helper()
	p, err := hook.New(b.config)
	must(t, err)
	t.Cleanup(func() {
		if err := p.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func task(t *testing.T, p *hook.Plugin, name string, args ...string) (string, error) {
	t.Helper()
	r, err := p.Task(t.Context(), abi.TaskParams{Work: abi.Work{Project: "."}, Task: name, Args: args})
	return r.Output, err
}

func TestAPluginIsAskedAboutFilesItMaySee(t *testing.T) {
	b := newBench(t)
	b.write(t, "a/x.py", "x = 1  # TODO\n")
	b.write(t, "a/y.py", "y = 2\n")
	b.write(t, "a/z.txt", "TODO\n")
	p := b.plugin(t)
	found, _, err := p.Lint(t.Context(), abi.LintParams{Work: abi.Work{Project: "a"}, Files: []string{"a/x.py", "a/y.py"}})
	if err != nil || len(found) != 1 || found[0].File != "a/x.py" {
		t.Errorf("got %+v, %v", found, err)
	}
	_, err = task(t, p, "read", "a/z.txt")
	if !fault.HasCode(err, hook.CodeFailed) || !strings.Contains(err.Error(), "plugin guest: task: open a/z.txt: No such file or directory") {
		t.Errorf("got %v", err)
	}
}

func TestInstancesAnswerOneQuestionUnlessTheyForget(t *testing.T) {
	for name, want := range map[bool][]string{true: {"1", "2", "3"}, false: {"1", "1", "1"}} {
		b := newBench(t)
		b.config.Manifest.Stateless = name
		p, got := b.plugin(t), []string{}
		for range 3 {
			out, err := task(t, p, "count")
			must(t, err)
			got = append(got, out)
		}
		if !slices.Equal(got, want) {
			t.Errorf("stateless %t: got %q, want %q", name, got, want)
		}
	}
}

func TestWhatAPluginGaveIsKeptWithWhatItSaw(t *testing.T) {
	b := newBench(t)
	b.write(t, "a.py", "one")
	kept := b.remember(t)
	asleep := b.config
	asleep.Process.Program = "/nonexistent" // whoever starts it fails
	kill := func() *hook.Plugin {
		p, err := hook.New(asleep)
		must(t, err)
		return p
	}
	if out, err := task(t, b.plugin(t), "read", "a.py"); err != nil || out != "one" {
		t.Fatalf("got %q, %v", out, err)
	}
	kept.Forget()
	if out, err := task(t, kill(), "read", "a.py"); err != nil || out != "one" {
		t.Errorf("nothing changed: got %q, %v", out, err)
	}
	b.write(t, "a.py", "two")
	kept.Forget()
	if out, err := task(t, kill(), "read", "a.py"); err == nil {
		t.Errorf("the file changed: got %q from what was kept", out)
	}
	if out, err := task(t, b.plugin(t), "read", "a.py"); err != nil || out != "two" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestWhatOnePluginGaveIsNotAnothersThatIsTheSameModule(t *testing.T) {
	b := newBench(t)
	b.remember(t)
	for _, name := range []string{"guest", "other", "guest"} {
		b.config.Manifest.Name = name
		if out, err := task(t, b.plugin(t), "name"); err != nil || out != name {
			t.Errorf("got %q, %v, want %s", out, err, name)
		}
	}
}

func TestWhatDependsOnMoreIsNotKept(t *testing.T) {
	b := newBench(t)
	kept := b.remember(t)
	b.config.Grants = grants{"secret:TOKEN"}
	secret := "s1"
	b.config.Functions = func(string) call.Functions {
		return call.Functions{Secrets: &call.Secrets{LookupEnv: func(name string) (string, bool) { return secret, name == "WR_SECRET_TOKEN" }}}
	}
	p := b.plugin(t)
	for _, secret = range []string{"s1", "s2"} {
		kept.Forget()
		if out, err := task(t, p, "secret"); err != nil || out != secret {
			t.Errorf("got %q, %v, want %s", out, err, secret)
		}
	}
}

func TestWhatAPluginWroteIsHandedOver(t *testing.T) {
	b := newBench(t)
	kept := b.remember(t)
	p := b.plugin(t)
	for _, cached := range []bool{false, true} {
		d, err := p.Task(t.Context(), abi.TaskParams{Task: "write", Args: []string{"gen/a.txt"}})
		if want := map[string][]byte{"gen/a.txt": []byte("made")}; err != nil || !maps.EqualFunc(d.Out, want, slices.Equal) || d.Cached != cached {
			t.Errorf("got %q, cached %v, %v", d.Out, d.Cached, err)
		}
		kept.Forget()
	}
	if _, err := os.Stat(filepath.Join(b.root, "gen")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the workspace was touched: %v", err)
	}
}

func TestWhatGoesWrongIsSaid(t *testing.T) {
	tests := map[string]struct {
		task, code, message, details string
	}{
		"it loops":                  {"loop", sandbox.CodeTimeout, "plugin guest took longer than it may and was stopped", "round and round"},
		"it panics":                 {"panic", hook.CodeEnded, "plugin guest: it ended with exit code 2", "assignment to entry in nil map"},
		"it leaves":                 {"exit", hook.CodeEnded, "plugin guest: it ended with exit code 7", "so long"},
		"it needs what it lacks":    {"secret", hook.CodeDenied, "plugin guest needs secret:TOKEN, which it is not granted", "a test wants it"},
		"it says it was denied":     {"claim", hook.CodeFailed, "plugin guest: task: denied", ""},
		"it wants too much memory":  {"hoard", hook.CodeLimit, "plugin guest: it ran into its limit of memory", ""},
		"it refuses its config":     {"refuse", hook.CodeConfig, "plugin guest: words must not be empty", ""},
		"it does not know the task": {"dance", hook.CodeFailed, `guest has no task "dance"`, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.config.Time = 5 * time.Second
			p := b.plugin(t)
			_, err := task(t, p, test.task)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != test.code || !strings.Contains(f.Message, test.message) || !strings.Contains(f.Details, test.details) {
				t.Fatalf("got %+v (%v), want %s %q %q", f, err, test.code, test.message, test.details)
			}
			if strings.Contains(f.Next, "evil") {
				t.Errorf("it has the plugin say what to do: %s", f.Next)
			}
			if f.Next == "" && test.code != hook.CodeFailed {
				t.Error("it does not say what to do")
			}
			// And the next question is answered.
			if out, err := task(t, p, "count"); err != nil || out != "1" {
				t.Errorf("afterwards got %q, %v", out, err)
			}
		})
	}
}

func TestAPluginThatBreaksAgainAndAgainIsNotAskedAnyMore(t *testing.T) {
	b := newBench(t)
	p := b.plugin(t)
	for range 3 {
		if _, err := task(t, p, "dance"); !fault.HasCode(err, hook.CodeFailed) { // to say no breaks nothing
			t.Errorf("got %v", err)
		}
		if _, err := task(t, p, "exit"); !fault.HasCode(err, hook.CodeEnded) {
			t.Errorf("got %v", err)
		}
	}
	_, err := task(t, p, "count")
	if f := fault.Of(err); f == nil || f.Code != hook.CodeGivenUp || !strings.Contains(f.Message, "it broke 3 times") || f.Next == "" {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerIsOneWhateverFollows(t *testing.T) {
	b := newBench(t)
	b.config.Manifest.Stateless = false
	var told []string
	b.config.Listener.Log = func(l abi.Log) { told = append(told, l.Level+": "+l.Message) }
	p := b.plugin(t)
	if out, err := task(t, p, "cling"); err != nil || out != "here" {
		t.Errorf("got %q, %v", out, err)
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "warn: it answered, and did not end as it should: ") {
		t.Errorf("told %q", told)
	}
	if out, err := task(t, p, "count"); err != nil || out != "1" || len(told) != 1 {
		t.Errorf("afterwards got %q, %v, %q", out, err, told)
	}
}

func TestACallThatIsStoppedTakesNoOtherWithIt(t *testing.T) {
	b := newBench(t)
	b.config.Time = 3 * time.Second
	b.config.Process.Limits.Instances = 2
	p := b.plugin(t)
	loops := make(chan error, 1)
	go func() {
		_, err := p.Task(t.Context(), abi.TaskParams{Task: "loop"})
		loops <- err
	}()
	for {
		if out, err := task(t, p, "count"); err != nil || out == "" {
			t.Errorf("got %q, %v", out, err)
		}
		select {
		case err := <-loops:
			if !fault.HasCode(err, sandbox.CodeTimeout) {
				t.Errorf("got %v, want %s", err, sandbox.CodeTimeout)
			}
			return
		default:
		}
	}
}

func TestTheEndOfTheContextEndsACall(t *testing.T) {
	b := newBench(t)
	p := b.plugin(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	time.AfterFunc(500*time.Millisecond, func() { cancel(interrupted) })
	if _, err := p.Task(ctx, abi.TaskParams{Task: "loop"}); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
}

func TestStartingAPluginTakesNothingOfTheTimeOfACall(t *testing.T) {
	b, asked := newBench(t), false
	b.config.Ready = func(ctx context.Context) error {
		_, bounded := ctx.Deadline()
		if asked = true; bounded {
			t.Error("the time of the call runs before its process is there")
		}
		return nil
	}
	if _, err := task(t, b.plugin(t), "count"); err != nil || !asked {
		t.Errorf("got %v, asked %t", err, asked)
	}
}

func TestMoreCallsThanInstancesTakeTheirTurns(t *testing.T) {
	b := newBench(t)
	b.config.Manifest.Stateless = true
	b.config.Process.Limits.Instances = 1
	p := b.plugin(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var calls errgroup.Group
	for range 8 {
		calls.Go(func() error {
			_, err := p.Task(ctx, abi.TaskParams{Task: "count"})
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		t.Error(err)
	}
}

func TestACallThatWaitsForItsTurnCanBeCalledOff(t *testing.T) {
	b := newBench(t)
	b.config.Process.Limits.Instances = 1
	p := b.plugin(t)
	looping, stop := context.WithCancel(t.Context())
	loops := make(chan error, 1)
	go func() {
		_, err := p.Task(looping, abi.TaskParams{Task: "loop"})
		loops <- err
	}()
	for p.Running() == 0 {
		runtime.Gosched()
	}
	waiting, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Task(waiting, abi.TaskParams{Task: "count"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	stop()
	if err := <-loops; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
