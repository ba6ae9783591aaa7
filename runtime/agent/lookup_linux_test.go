package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// tools makes a directory of things that can and cannot be executed.
func tools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := []struct {
		name, text string
		mode       os.FileMode
	}{
		{"bin/hello", "#!/bin/sh\necho hello from $PWD\n", 0o755},
		{"bin/plain", "#!/bin/sh\n", 0o644},
		{"bin/lost", "#!/no/such/interpreter -x\n", 0o755},
		{"bin/data", "neither fish nor flesh", 0o755},
		{"bin/foreign", "\x7fELF\x02\x01\x01", 0o755},
		{"bin/dir/file", "", 0o644},
		{"other/plain", "#!/bin/sh\necho the other\n", 0o755},
		{"other/file", "", 0o644},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), f.mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCommandIsFoundOnItsOwnPath(t *testing.T) {
	a := startAgent(t)
	dir := tools(t)
	tests := []struct {
		name, command, path, dir string
		want                     string
	}{
		{"in the first directory", "hello", dir + "/bin:/bin:/usr/bin", "/", "hello from /\n"},
		{"in a later directory", "hello", "/no/such::" + dir + "/bin:/bin", "/", "hello from /\n"},
		{"in a relative directory", "hello", "/bin:bin", dir, "hello from " + dir + "\n"},
		{"in the empty entry, which is the working directory", "hello", ":/bin", dir + "/bin", "hello from " + dir + "/bin\n"},
		{"behind one that is not executable", "plain", dir + "/bin:" + dir + "/other", "/", "the other\n"},
		{"by absolute path", dir + "/bin/hello", "", "/", "hello from /\n"},
		{"by relative path", "./bin/hello", "", dir, "hello from " + dir + "\n"},
		{"by relative path upwards", "../bin/hello", "", dir + "/other", "hello from " + dir + "/other\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := program(tt.command)
			c.Env, c.Dir = []string{"PATH=" + tt.path}, tt.dir
			if got := a.run(c, ""); got.stdout != tt.want {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
		})
	}
}

func TestCommandThatCannotRunSaysWhy(t *testing.T) {
	a := startAgent(t)
	dir := tools(t)
	tests := []struct {
		name, command, dir string
		code, message      string
	}{
		{"unknown name", "helo", "/", NotFound, "helo: not found in the container's PATH (" + dir + "/bin)"},
		{"empty name", "", "/", NotExecutable, ": is a directory"},
		{"missing file", "./helo", "/", NotFound, "./helo: no such file or directory"},
		{"file below a file", dir + "/bin/hello/x", "/", NotFound, dir + "/bin/hello/x: not a directory"},
		{"not executable on PATH", "plain", "/", NotExecutable, "plain: no permission to execute it as user "},
		{"not executable by path", "./bin/plain", dir, NotExecutable, "./bin/plain: no permission to execute it as user "},
		{"directory by path", "./bin/dir", dir, NotExecutable, "./bin/dir: is a directory"},
		{"device", "/dev/null", "/", NotExecutable, "/dev/null: not a regular file"},
		{"interpreter missing", "lost", "/", NotFound, `lost: its interpreter or loader "/no/such/interpreter" is not in the container`},
		{"no program", "data", "/", NotExecutable, "data: neither a program for this machine nor a script with a #! line"},
		{"damaged program", "foreign", "/", NotExecutable, "foreign: neither a program"},
		{"directory missing", "hello", "/no/such", NoDir, "working directory /no/such: no such file or directory"},
		{"directory is a file", "hello", dir + "/other/file", NoDir, "not a directory"},
	}
	for _, terminal := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				c := program(tt.command)
				c.Env, c.Dir, c.Terminal = []string{"PATH=" + dir + "/bin"}, tt.dir, terminal
				_, err := Start(a.dial(), c, spec.Stdio{})
				if f := fault.Of(err); f == nil || f.Code != tt.code || !strings.Contains(f.Message, tt.message) {
					t.Errorf("got %v, want %s: %s", err, tt.code, tt.message)
				}
			})
		}
	}
}

func TestTooLongArgumentsAreAFault(t *testing.T) {
	a := startAgent(t)
	_, err := Start(a.dial(), program("true", strings.Repeat("x", 1<<20)), spec.Stdio{})
	if !fault.HasCode(err, StartFailed) || !strings.Contains(err.Error(), "start true: argument list too long") {
		t.Errorf("got %v", err)
	}
}

func TestModeBitsDecideForTheRequestsUser(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	uid, gid := os.Getuid(), os.Getgid()
	other := Request{UID: uid + 1, GID: gid + 1}
	tests := []struct {
		name string
		r    Request
		mode os.FileMode
		want bool
	}{
		{"others may", other, 0o001, true},
		{"others may not", other, 0o770, false},
		{"group may", Request{UID: uid + 1, GID: gid}, 0o010, true},
		{"group may not though others may", Request{UID: uid + 1, GID: gid}, 0o701, false},
		{"supplementary group may", Request{UID: uid + 1, GID: gid + 1, Groups: []int{gid}}, 0o010, true},
		{"root may if anyone may", Request{UID: 0}, 0o001, uid != 0 || true},
		{"root may not if nobody may", Request{UID: 0}, 0o666, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.Chmod(file, tt.mode); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.r.mayExecute(info); got != tt.want {
				t.Errorf("mode %v: got %v", tt.mode, got)
			}
		})
	}
}

func TestEnvironmentKeepsOrderAndLastValue(t *testing.T) {
	got := environment([]string{"A=1", "PATH=/x", "odd"}, []string{"B=2", "A=3", "odd", "B=4", "A="})
	if s := strings.Join(got, " "); s != "A= PATH=/x odd B=4" {
		t.Errorf("got %q", s)
	}
	if p := searchPath(got); p != "/x" {
		t.Errorf("got PATH %q", p)
	}
	if p := searchPath(nil); p != defaultPath {
		t.Errorf("got PATH %q without one", p)
	}
}
