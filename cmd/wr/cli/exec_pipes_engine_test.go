//go:build linux && engine

package cli

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// code is how a program ended.
func code(t *testing.T, err error) int {
	t.Helper()
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		return exited.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0
}

// pipes is a workspace for the tests of this file, and wr exec in a project of it.
func pipes(t *testing.T) (command func(args ...string) *exec.Cmd) {
	t.Helper()
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	if out, errs, code := w.run(dir, "build", "apps/web"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	return func(args ...string) *exec.Cmd {
		return w.command(dir, append([]string{"exec", "apps/web", "--"}, args...)...)
	}
}

// hashed counts and hashes what goes through it.
type hashed struct {
	hash.Hash
	n int64
}

func (h *hashed) Write(p []byte) (int, error) {
	h.n += int64(len(p))
	return h.Hash.Write(p)
}

func TestAGigabyteGoesThroughExecUnchanged(t *testing.T) {
	const size = 1 << 30
	cmd := pipes(t)("cat")
	in, got := &hashed{Hash: sha256.New()}, &hashed{Hash: sha256.New()}
	cmd.Stdin = io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{1}), size), in)
	cmd.Stdout = got
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got.n != size || !bytes.Equal(got.Sum(nil), in.Sum(nil)) {
		t.Errorf("%d bytes came back, or others than went in", got.n)
	}
}

func TestStdinThatNobodyReadsToItsEndHoldsNothingUp(t *testing.T) {
	cmd := pipes(t)("head", "-c", "10")
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd.Stdin = r
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	if _, err := io.Copy(in, rand.NewChaCha8([32]byte{2})); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing ends with %v, want a broken pipe", err)
	}
	if err := cmd.Wait(); err != nil || out.Len() != 10 {
		t.Errorf("%d bytes came back (%v), want 10", out.Len(), err)
	}
}

func TestStdinThatIsClosedFromTheStartIsEmpty(t *testing.T) {
	command := pipes(t)("cat")
	shell := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" <&-`}, command.Args...)...)
	shell.Dir, shell.Env = command.Dir, command.Env
	if out, err := shell.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestASlowReaderGetsEverything(t *testing.T) {
	const size = 100 << 20
	cmd := pipes(t)("head", "-c", "100M", "/dev/zero")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	var total int64
	for range pace.C {
		n, err := io.CopyN(io.Discard, out, 1<<20)
		total += n
		if err != nil {
			break
		}
	}
	if err := cmd.Wait(); err != nil || total != size {
		t.Errorf("got %d bytes, %v", total, err)
	}
}

func TestACommandWhoseReaderDiesEndsBySIGPIPE(t *testing.T) {
	cmd := pipes(t)("yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "y\n" {
		t.Errorf("got %q, %v", line, err)
	}
	_ = out.Close()
	if got, want := code(t, cmd.Wait()), 128+int(syscall.SIGPIPE); got != want {
		t.Errorf("exit %d, want %d", got, want)
	}
}

func TestOfALotOfOutputAReaderThatDiesLosesOnlyTheRest(t *testing.T) {
	cmd := pipes(t)("sh", "-c", "head -c 100M /dev/zero; echo the head ended with $? >&2; exit 3")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, out, 50<<20); err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	_ = out.Close()
	if got := code(t, cmd.Wait()); got != 3 || errs.String() != "the head ended with 141\n" {
		t.Errorf("exit %d, %q", got, errs.String())
	}
}

func TestACommandWithoutReadersRunsAsAnywhere(t *testing.T) {
	command := pipes(t)
	for name, test := range map[string]struct {
		redirection string
		script      string
		want        int
	}{
		"closed stdout":            {">&-", "echo out; echo err >&2; exit 3", 3},
		"closed stderr":            {"2>&-", "echo err >&2; exit 4", 4},
		"a lot for closed stdout":  {">&-", "head -c 100M /dev/zero && exit 7", 7},
		"all closed":               {"<&- >&- 2>&-", "cat; echo out; exit 5", 5},
		"a device that takes none": {">/dev/full", "cat /etc/hostname || exit 6", 6},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := command("sh", "-c", test.script)
			shell := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" ` + test.redirection}, cmd.Args...)...)
			shell.Dir, shell.Env = cmd.Dir, cmd.Env
			if got := code(t, shell.Run()); got != test.want {
				t.Errorf("exit %d, want %d", got, test.want)
			}
		})
	}
}

func TestASignalThatEndsACommandShowsInTheExitCode(t *testing.T) {
	command := pipes(t)
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1} {
		cmd := command("sh", "-c", "echo up; exec sleep 1000")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if got, want := code(t, cmd.Wait()), 128+int(sig); got != want {
			t.Errorf("after %v: exit %d, want %d", sig, got, want)
		}
	}
}
