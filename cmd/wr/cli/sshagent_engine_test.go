//go:build linux && engine

package cli

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// askAgent prints the type of the agent's answer to who asks for its keys.
const askAgent = `import os, socket, struct
s = socket.socket(socket.AF_UNIX)
s.connect(os.environ["SSH_AUTH_SOCK"])
s.sendall(struct.pack(">IB", 1, 11))
print("answer", s.recv(5)[4], flush=True)
`

// testsOfWeb fail where a lent agent can be found.
const testsOfWeb = `import os
def test_no_agent():
    found = [os.path.join(at, name) for top in ("/app/.wr", "/.wr") for at, _, names in os.walk(top) for name in names if "agent." in name]
    assert found == []
`

// anAgent is an SSH agent without keys, at the path that is returned.
func anAgent(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "wr-agent-") // short, as paths of sockets are
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err = io.ReadFull(conn, make([]byte, 5)); err == nil {
				_, _ = conn.Write([]byte{0, 0, 0, 5, 12, 0, 0, 0, 0})
			}
			conn.Close()
		}
	}()
	return filepath.Join(dir, "s")
}

// TestALentAgentIsOfOneProjectAndForOneCommand looks for it while a command of
// another project has it.
func TestALentAgentIsOfOneProjectAndForOneCommand(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	for name, text := range map[string]string{
		"ask.py": askAgent, "apps/web/test_agent.py": testsOfWeb,
		"optimizer/wr.toml": "[project]\n[rights]\nssh_agent = true\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := w.census()
	held := w.command(dir, "exec", "optimizer", "--", "sh", "-c", "python3 /app/ask.py && exec cat")
	held.Env = append(held.Env, "SSH_AUTH_SOCK="+anAgent(t))
	held.Stderr = t.Output()
	in, inErr := held.StdinPipe()
	out, outErr := held.StdoutPipe()
	if inErr != nil || outErr != nil {
		t.Fatal(inErr, outErr)
	}
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(out).ReadString('\n'); got != "answer 12\n" {
		t.Errorf("its own command got %q, %v", got, err)
	}
	const find = `find /app /.wr -name "agent.*"`
	for _, fresh := range [][]string{nil, {"--fresh"}} {
		args := append(append([]string{"exec"}, fresh...), "apps/web", "--", "sh", "-c", find)
		if got, errs, code := w.run(dir, args...); got != "" || code != 0 {
			t.Errorf("wr %q found %s, exit %d\n%s", args, got, code, errs)
		}
		args = append(append([]string{"test"}, fresh...), "apps/web")
		if got, errs, code := w.run(dir, args...); code != 0 {
			t.Errorf("wr %q: exit %d\n%s%s", args, code, got, errs)
		}
	}
	in.Close()
	if err := held.Wait(); err != nil {
		t.Error(err)
	}
	if got, errs, code := w.run(dir, "exec", "optimizer", "--", "sh", "-c", find); got != "" || code != 0 {
		t.Errorf("the next command found %s, exit %d\n%s", got, code, errs)
	}
	w.leavesNothing(before)
}
