//go:build linux && engine

package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// task is what a client process is told to do.
type task struct {
	Dirs  engine.Dirs
	Args  []string // of a command
	Role  spec.Role
	Build *spec.Build // instead of a command

	Remove string // the id of a container, instead of a command
	Groups []uint32
}

// clientTest is a client process that does its task for the user it is.
func clientTest() int {
	var c task
	if err := json.Unmarshal([]byte(os.Getenv(configEnv)), &c); err != nil {
		panic(err)
	}
	code, err := c.do(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	return code
}

// do does the task and returns its exit code.
func (c task) do(ctx context.Context) (int, error) {
	if c.Build != nil {
		b := builder(c.Dirs)
		defer b.Close()
		_, err := b.Build(ctx, *c.Build, func(spec.Step) {})
		return 0, err
	}
	wr, err := Dial(ctx, c.Dirs)
	if err != nil {
		return 0, err
	}
	if c.Remove != "" {
		return 0, wr.Remove(ctx, c.Remove)
	}
	box := spec.Container{Image: testImage, Network: spec.NetworkNone, Role: c.Role, Caller: spec.Owner{UID: os.Getuid(), GID: os.Getgid()}}
	exit, err := wr.Run(ctx, box, spec.Process{Args: c.Args}, spec.Stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	return exit.Code, err
}

// builder makes images in the store of an engine.
func builder(dirs engine.Dirs) *image.Builder {
	return image.NewBuilder(image.Config{BuildkitSocket: dirs.BuildkitSocket(), ContainerdSocket: dirs.ContainerdSocket(), State: dirs.State})
}

// process is a client in a process of its own.
type process struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
}

// client starts a process that runs args in a container, as user uid of the
// machine.
func (f *fixture) client(uid int, args ...string) *process {
	f.t.Helper()
	return f.clientFor(uid, task{Args: args})
}

// clientFor is client for any task.
func (f *fixture) clientFor(uid int, do task) *process {
	f.t.Helper()
	do.Dirs = f.config.Dirs
	config, err := json.Marshal(do)
	if err != nil {
		f.t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(f.executable())
	cmd.Env = append(f.environ(), roleEnv+"=client", configEnv+"="+string(config))
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid), Groups: do.Groups}}
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	w.Close()
	p := &process{t: f.t, cmd: cmd, in: in, out: bufio.NewReader(r)}
	f.t.Cleanup(func() {
		p.kill()
		r.Close()
	})
	return p
}

// builtImage is what clients build.
const builtImage = "wr.local/killed/image:1"

// buildOf is a client that builds an image with one step.
func (f *fixture) buildOf(step string) *process {
	f.t.Helper()
	dir := f.t.TempDir()
	text := "FROM " + testImage + "\nUSER root\nRUN " + step + "\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
	return f.clientFor(0, task{Build: &spec.Build{
		Project: "p", Ref: builtImage, Context: dir, Dockerfile: "Dockerfile", Labels: map[string]string{labelKey: "1"},
	}})
}

// executable is a copy of the test binary that every user can run.
func (f *fixture) executable() string {
	f.t.Helper()
	copied := filepath.Join(filepath.Dir(f.config.Dirs.Run), "client")
	if _, err := os.Stat(copied); err == nil {
		return copied
	}
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(copied, exe, 0o755); err != nil {
		f.t.Fatal(err)
	}
	return copied
}

// line reads a line of output.
func (p *process) line() string {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatalf("read from the client: %v (%q)", err, line)
	}
	return line
}

// endTime bounds the end of a client for which nothing is left to do.
const endTime = 30 * time.Second

// ends waits for the end of the client and returns what it still said, and its
// exit code, -1 when it was killed.
func (p *process) ends() (said string, code int) {
	p.t.Helper()
	late := time.AfterFunc(endTime, func() {
		p.t.Errorf("the client does not end in %v", endTime)
		p.cmd.Process.Kill()
	})
	defer late.Stop()
	text, _ := io.ReadAll(p.out)
	p.cmd.Wait()
	return string(text), p.cmd.ProcessState.ExitCode()
}

// kill ends the client at once.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// kill ends a process at once.
func kill(t testing.TB, pid int) {
	t.Helper()
	signal(t, pid, syscall.SIGKILL)
}

func signal(t testing.TB, pid int, sig syscall.Signal) {
	t.Helper()
	if pid <= 0 {
		t.Fatalf("no process for signal %v", sig)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatalf("signal %v for process %d: %v", sig, pid, err)
	}
}

// shimOf is the process of a container's shim.
func (f *fixture) shimOf(id string) int {
	f.t.Helper()
	pid := find(func(line string) bool { return strings.Contains(line, "shim") && strings.Contains(line, id) })
	if pid == 0 {
		f.t.Fatal("there is no shim")
	}
	return pid
}

// agentOf is the process of a container's agent.
func (f *fixture) agentOf(id string) int {
	f.t.Helper()
	record, err := f.containerd.LoadContainer(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	task, err := record.Task(f.t.Context(), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return int(task.Pid())
}

// find returns a process whose command line, words joined by spaces, is what is
// looked for; 0 = there is none.
func find(is func(line string) bool) int {
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		line, err := os.ReadFile(path)
		var pid int
		if _, scan := fmt.Sscanf(path, "/proc/%d/", &pid); err == nil && scan == nil && pid != os.Getpid() && is(strings.ReplaceAll(string(line), "\x00", " ")) {
			return pid
		}
	}
	return 0
}
