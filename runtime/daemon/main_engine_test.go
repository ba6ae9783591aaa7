//go:build linux && engine

package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
	"github.com/wr-build/wr/runtime/spec"
)

// The test binary is also the engine and the clients that tests kill.
const (
	roleEnv   = "WR_TEST_ROLE" // engine or client
	configEnv = "WR_TEST_CONFIG"
)

// The images that every test engine has.
const (
	testImage  = "docker.io/test/tester:latest"
	plainImage = "docker.io/test/plain:latest" // says nothing about user, dir or env
)

// programs are the helpers, built once.
var programs containertest.Helpers

// engineConfig is what an engine started by a test is told.
type engineConfig struct {
	Dirs     engine.Dirs
	Group    string
	Idle     time.Duration
	Keep     time.Duration
	MaxKept  int
	Programs containertest.Helpers
	Cgroup   containertest.Cgroup // the engine's own, if any
	Clock    time.Duration        // how much the engine's clock is ahead
	Temp     string               // TMPDIR of the engine and its clients, if it is theirs alone
}

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "engine":
		os.Exit(serveTest())
	case "client":
		os.Exit(clientTest())
	}
	os.Exit(containertest.Guard(context.Background(), m, runTests))
}

func runTests(m *testing.M) int {
	var err error
	if programs, err = containertest.Build(context.Background(), filepath.Join(containertest.Base(), "bin")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// serveTest is the engine process.
func serveTest() int {
	var c engineConfig
	if err := json.Unmarshal([]byte(os.Getenv(configEnv)), &c); err != nil {
		panic(err)
	}
	os.Unsetenv(roleEnv)
	os.Unsetenv(configEnv)
	if err := c.Cgroup.Enter(os.Getpid()); err != nil {
		panic(err)
	}
	if err := c.tellGoroutines(); err != nil {
		panic(err)
	}
	ready := engine.ReadyFile()
	ctx, stop := engine.Signals(context.Background())
	defer stop()
	err := Serve(ctx, Config{
		Dirs: c.Dirs, Group: c.Group, Idle: c.Idle, Keep: c.Keep, MaxKept: c.MaxKept, Version: "test",
		Now: func() time.Time { return time.Now().Add(c.Clock) },
		Helpers: &helper.Set{
			Shim:  helper.Helper{Name: "containerd-shim-runc-v2", Path: c.Programs.Shim, Source: helper.Path},
			Agent: helper.Helper{Name: "wr-agent", Path: c.Programs.Agent, Source: helper.Path},
			Runc:  helper.Helper{Name: "runc", Path: c.Programs.Runc, Source: helper.Path},
		},
		Ready: func(err error) { engine.Ready(ready, err) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// goroutineSocket is where an engine tells the stacks of its goroutines.
func goroutineSocket(c engineConfig) string {
	return filepath.Join(filepath.Dir(c.Dirs.Run), "goroutines")
}

// tellGoroutines writes them to whoever connects.
func (c engineConfig) tellGoroutines() error {
	if err := os.Remove(goroutineSocket(c)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	l, err := net.Listen("unix", goroutineSocket(c))
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = pprof.Lookup("goroutine").WriteTo(conn, 2)
			_ = conn.Close()
		}
	}()
	return nil
}

// fixture is an engine of its own for one test.
type fixture struct {
	t      testing.TB
	config engineConfig
	*Client
	containerd *client.Client
	before     containertest.Census
}

// start starts an engine with both images and notes what is there. At its end
// the test has left nothing, and then the engine is stopped.
func start(t testing.TB, change ...func(*engineConfig)) *fixture {
	t.Helper()
	base, err := os.MkdirTemp(containertest.Base(), "")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, config: engineConfig{
		Dirs: engine.Dirs{State: filepath.Join(base, "state"), Run: filepath.Join(base, "run")},
		Idle: -1, Programs: programs,
	}}
	t.Cleanup(f.sweep)
	for _, c := range change {
		c(&f.config)
	}
	f.up()
	f.importImages()
	f.before = f.census()
	t.Cleanup(f.end)
	return f
}

// base holds everything of the engine.
func (f *fixture) base() string { return filepath.Dir(f.config.Dirs.Run) }

// up starts the engine, or starts it again.
func (f *fixture) up() {
	f.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	config, err := json.Marshal(f.config)
	if err != nil {
		f.t.Fatal(err)
	}
	begin := time.Now()
	err = engine.Up(context.Background(), engine.Start{
		Dirs: f.config.Dirs, Exe: exe, Args: []string{"engine"},
		Env: append(f.environ(), roleEnv+"=engine", configEnv+"="+string(config), "GORACE=atexit_sleep_ms=0"),
	})
	if err != nil {
		f.t.Fatalf("engine did not start: %v\n%s", err, f.log())
	}
	f.t.Logf("engine ready after %v", time.Since(begin).Round(time.Millisecond))
	if f.Client, err = Dial(context.Background(), f.config.Dirs); err != nil {
		f.t.Fatal(err)
	}
	f.containerd, err = client.New(f.config.Dirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		f.t.Fatal(err)
	}
}

// environ is the environment of the engine and its clients.
func (f *fixture) environ() []string {
	env := append(os.Environ(), containertest.Env(f.base()))
	if f.config.Temp != "" {
		env = append(env, "TMPDIR="+f.config.Temp)
	}
	return env
}

// importImages makes the two images.
func (f *fixture) importImages() {
	f.t.Helper()
	for ref, config := range map[string]ocispec.ImageConfig{
		testImage: {
			Env:  []string{"PATH=/bin", "FROM=image", "OVER=image"},
			User: "tester", WorkingDir: "/home/tester",
		},
		plainImage: {},
	} {
		if err := containertest.Import(context.Background(), f.containerd, ref, config); err != nil {
			f.t.Fatal(err)
		}
	}
}

// end checks that the test left nothing and stops the engine.
func (f *fixture) end() {
	ctx := context.Background()
	f.nothingLeft()
	f.containerd.Close()
	if err := f.Stop(ctx, false); err != nil {
		f.t.Errorf("stop: %v", err)
	}
	if _, held := engine.Holder(f.config.Dirs); held {
		f.t.Errorf("the lock is held after the engine has ended")
	}
}

// sweep removes, last of all, what a test that went wrong has left.
func (f *fixture) sweep() {
	if f.t.Failed() {
		f.t.Logf("the engine's log:\n%s", f.log())
	}
	left, err := containertest.Sweep(context.Background(), f.base())
	if err != nil || len(left) > 0 {
		f.t.Errorf("had to be removed at the end (%v):\n%s", err, left)
	}
}

// census takes stock of the engine.
func (f *fixture) census() containertest.Census {
	f.t.Helper()
	census, err := f.take()
	if err != nil {
		f.t.Fatal(err)
	}
	return census
}

func (f *fixture) take() (containertest.Census, error) {
	c := f.config
	found, err := containertest.Take(context.Background(), f.containerd, containertest.Scope{Dirs: c.Dirs, Group: c.Cgroup, Temp: c.Temp})
	return slices.DeleteFunc(found, isView), err
}

// isView tells of the lease and the snapshot with which BuildKit looks at a
// layer, which it keeps as long as the layer.
func isView(line string) bool {
	return strings.HasSuffix(line, "-view") && (strings.HasPrefix(line, "lease ") || strings.HasPrefix(line, "snapshot buildkit-layer-"))
}

// nothingLeft fails unless everything is as it was when the test began.
func (f *fixture) nothingLeft() {
	f.t.Helper()
	left, err := containertest.Settled(f.before, f.take)
	if err != nil || len(left) > 0 {
		f.t.Errorf("left behind (%v):\n%s", err, left)
	}
}

// pid is the engine's.
func (f *fixture) pid() int {
	f.t.Helper()
	hold, ok := engine.Holder(f.config.Dirs)
	if !ok {
		f.t.Fatal("no engine holds the lock")
	}
	return hold.PID
}

// log is what the engine wrote.
func (f *fixture) log() string {
	text, err := os.ReadFile(f.config.Dirs.Log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// box is a container of the test image for root.
func box() spec.Container {
	return spec.Container{Image: testImage, Hostname: "box", Network: spec.NetworkNone}
}

// sh is a process that runs a shell script.
func sh(script string) spec.Process {
	return spec.Process{Args: []string{"sh", "-c", script}}
}

// output runs p and returns its exit and what it wrote to stdout and stderr.
func (f *fixture) output(ctx context.Context, c spec.Container, p spec.Process) (string, spec.Exit, error) {
	f.t.Helper()
	file, err := os.CreateTemp(f.t.TempDir(), "output")
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	exit, err := f.Run(ctx, c, p, spec.Stdio{Out: file, Err: file})
	text, readErr := os.ReadFile(file.Name())
	if readErr != nil {
		f.t.Fatal(readErr)
	}
	return string(text), exit, err
}

// must is output of a process that has to end with code 0.
func (f *fixture) must(c spec.Container, p spec.Process) string {
	f.t.Helper()
	text, exit, err := f.output(f.t.Context(), c, p)
	if err != nil || exit.Code != 0 {
		f.t.Fatalf("%q: exit %d, error %v\n%s", p.Args, exit.Code, err, text)
	}
	return text
}

// itoa is for users in specs.
func itoa(n int) string { return strconv.Itoa(n) }

// pipe is closed at the test's end.
func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// dialError is why an engine cannot be reached.
func dialError(t testing.TB, dirs engine.Dirs) error {
	t.Helper()
	_, err := Dial(t.Context(), dirs)
	return err
}
