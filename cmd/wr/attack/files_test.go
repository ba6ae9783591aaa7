package attack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What a guest is told of a file that it must not have, in the words of WASI.
const (
	missing  = "No such file or directory"
	readOnly = "Read-only file system"
	notYours = "Operation not permitted"
	tooLong  = "File name too long"
)

// each are tries of one verb that all come to the same end.
func each(verb, end string, paths ...string) []string {
	var tries []string
	for _, path := range paths {
		tries = append(tries, verb+" "+path+" = "+end)
	}
	return tries
}

func TestFilesThatMustNotBeReached(t *testing.T) {
	runAll(t, map[string]attack{
		"symbolic links": {
			plant: plantLinks,
			tries: append(
				each("read", missing, "/src/p/rel", "/src/p/abs", "/src/p/up/../outside/canary", "/src/p/etc/hostname", "/src/p/proc/environ", "/src/p/chain",
					"/src/p/env", "/src/p/git/config", "/src/p/dot", "/src/p/d/twist", "/src/p/zero"),
				each("write", readOnly, "/src/p/rel", "/src/p/abs", "/src/p/etc/motd", "/src/p/chain", "/src/p/env", "/src/p/zero")...),
		},
		"dots and absolute paths": {
			tries: append(
				each("read", missing, "/src/../outside/canary", "/src/../../outside/canary", "/src/p/../../../outside/canary", "../outside/canary", "../../../../../../etc/hostname",
					"/../../etc/hostname", "/etc/hostname", "//etc//hostname", "TOP/outside/canary", "/src/TOP/outside/canary"),
				"write /src/../../outside/canary = "+readOnly, "write TOP/outside/canary = "+missing, "write /etc/motd = "+readOnly, "append TOP/outside/canary = "+missing,
				"truncate TOP/outside/canary = "+missing, "rm TOP/outside/canary = "+missing, "mkdir TOP/outside/new = "+missing, "mv /tmp TOP/outside/tmp = "+notYours),
		},
		"hard links": { // read like any file: who could make one could have copied it
			plant: func(f *field) {
				f.must(os.Link(filepath.Join(f.top, "outside/canary"), filepath.Join(f.ws, "p/hard.txt")))
				f.write("ws/.env", "TOKEN=1")
				f.must(os.Link(filepath.Join(f.ws, ".env"), filepath.Join(f.ws, "p/.env.local")))
			},
			tries: []string{
				"read /src/p/hard.txt = sings", "write /src/p/hard.txt = " + readOnly, "append /src/p/hard.txt = " + readOnly, "truncate /src/p/hard.txt = " + readOnly,
				"rm /src/p/hard.txt = " + readOnly, "touch /src/p/hard.txt = " + readOnly, "mv /src/p/hard.txt /tmp/x = " + readOnly,
				"link /src/p/hard.txt /out/x = " + notYours, "symlink /etc/hostname /out/x = " + notYours, "read /src/p/.env.local = " + missing,
			},
		},
		"the workspace itself": {
			tries: []string{
				"write /src/p/a.py = " + readOnly, "write /src/p/new.py = " + readOnly, "mkdir /src/p/new = " + readOnly, "rm /src/p/a.py = " + readOnly, "rmdir /src/p = " + readOnly,
				"mv /src/p /src/q = " + readOnly, "mv /tmp /src/tmp = " + readOnly, "touch /src/p/a.py = " + readOnly, "link /src/p/a.py /src/p/b.py = " + notYours,
				"symlink /etc /src/p/etc = " + notYours, "write /out/p/a.py = " + missing, "mkdir /out/p = ", "write /out/p/a.py = ", "read /out/p/a.py = shady",
			},
		},
		"/proc and devices": {
			plant: plantDevices,
			tries: append(
				each("read", missing, "/proc/self/environ", "/proc/self/mem", "/proc/1/root/etc/passwd", "/proc/self/fd/0", "/dev/null", "/dev/zero", "/dev/stdin", "/dev/mem",
					"/src/p/pipe", "/src/p/socket", "/src/p/device", "/src/p/topipe"),
				append(each("write", readOnly, "/src/p/pipe", "/src/p/device"), "ls /src/p = a.py topipe wr.toml")...),
		},
		"case tricks": {
			plant: func(f *field) { // as a file system shows them for which case does not count
				for _, name := range []string{".GIT/config", ".giT/config", ".Env", ".ENV.local", "ID_RSA", "Server.PEM", "p/.g\u200cit/config", "p/.SSH/known_hosts", "p/KubeConfig"} {
					f.write("ws/"+name, "secret")
				}
			},
			tries: append(
				each("read", missing, "/src/.GIT/config", "/src/.giT/config", "/src/.Env", "/src/.ENV.local", "/src/ID_RSA", "/src/Server.PEM", "/src/p/.g\u200cit/config", "/src/p/.SSH/known_hosts", "/src/p/KubeConfig"),
				"ls /src = p tools wr.lock wr.toml", "ls /src/p = a.py wr.toml", "read /src/P/a.py = "+missing),
		},
		"what looks like a secret": {
			plant: func(f *field) {
				for _, name := range []string{".env", "p/.env.production", "p/prod.env", "certs/dev.pem", "p/id_ed25519", ".aws/credentials", ".npmrc", "p/terraform.tfstate", "p/.netrc"} {
					f.write("ws/"+name, "secret")
				}
			},
			tries: append(
				each("read", missing, "/src/.env", "/src/p/.env.production", "/src/p/prod.env", "/src/certs/dev.pem", "/src/p/id_ed25519", "/src/.aws/credentials", "/src/.npmrc", "/src/p/terraform.tfstate", "/src/p/.netrc"),
				append(each("stat", missing, "/src/.env", "/src/.aws"), "ls /src/p = a.py wr.toml")...),
		},
		"git, in each of its forms": {
			plant: plantGit,
			tries: append(
				each("read", missing, "/src/.git/config", "/src/.git", "/src/p/tree/.git", "/src/p/module/.git", "/src/p/module/../../.git/HEAD"),
				append(each("stat", missing, "/src/.git", "/src/p/tree/.git", "/src/p/module/.git"), "ls /src/p/tree = b.txt", "read /src/p/tree/b.txt = b")...),
		},
		"paths 4,096 deep": {
			plant: func(f *field) {
				f.must(os.Mkdir(filepath.Join(f.ws, "deep"), 0o755))
				f.must(plantDeep(filepath.Join(f.ws, "deep")))
				f.exclude = "deep" // wr itself says that it cannot look for projects there
			},
			tries: []string{
				"deep /src/deep = 2045 " + tooLong, "deep /src/../src/deep = 2045 " + tooLong, "read /src/deep" + strings.Repeat("/d", 2500) + "/x = " + tooLong,
				"mkdir /out/" + strings.Repeat("n", 256) + " = " + tooLong,
			},
		},
		"what the process has of the host": {
			tries: []string{"env  = [] [shady]", "ls / = out src tmp"},
		},
	})
}

func plantLinks(f *field) {
	for name, target := range map[string]string{
		"rel": "../../outside/canary", "abs": f.top + "/outside/canary", "up": "..", "etc": "/etc", "proc": "/proc/self", "zero": "/dev/zero",
		"chain": "rel", "env": "../.env", "git": "../.git", "dot": "./.././../outside/canary", "d/twist": "../../../ws/../outside/canary",
	} {
		f.link("ws/p/"+name, target)
	}
	f.write("ws/.env", "TOKEN=1")
}

// plantDevices makes what would block whoever opens it, or act.
func plantDevices(f *field) {
	in := func(name string) string { return filepath.Join(f.ws, "p", name) }
	f.must(unix.Mkfifo(in("pipe"), 0o666))
	f.link("ws/p/topipe", "pipe")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	f.must(err)
	f.t.Cleanup(func() { _ = unix.Close(fd) })
	here, err := os.Open(in(""))
	f.must(err)
	defer here.Close()
	// Why not its path: that may be longer than the address of a socket can be.
	f.must(unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/socket", here.Fd())}))
	if err := unix.Mknod(in("device"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))); err != nil && !errors.Is(err, unix.EPERM) {
		f.t.Fatal(err)
	}
}

// plantGit makes the workspace a repository with a linked work tree in it, and what
// looks like a submodule: their .git are files.
func plantGit(f *field) {
	git := func(args ...string) {
		cmd := exec.CommandContext(f.t.Context(), "git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com", "-C", f.ws}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		if out, err := cmd.CombinedOutput(); err != nil {
			f.t.Fatalf("git %q: %v: %s", args, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("commit", "-q", "--allow-empty", "-m", "first")
	git("worktree", "add", "-q", "p/tree")
	f.write("ws/p/tree/b.txt", "b")
	f.write("ws/p/module/.git", "gitdir: ../../.git/modules/module\n")
}

// plantDeep makes directories in directories, deeper than a path can say.
func plantDeep(dir string) error {
	fd, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_RDONLY, 0)
	for range 4096 {
		if err == nil {
			err = unix.Mkdirat(fd, "d", 0o755)
		}
		if err == nil {
			next, e := unix.Openat(fd, "d", unix.O_DIRECTORY|unix.O_RDONLY, 0)
			_ = unix.Close(fd)
			fd, err = next, e
		}
	}
	return errors.Join(err, unix.Close(fd))
}

func TestARenameMeanwhileGainsNothing(t *testing.T) {
	row := attack{
		plant: func(f *field) {
			f.write("ws/p/dir/sub/f", "mine")
			f.write("ws/p/.git/sub/f", "hidden")
			f.write("outside/sub/f", "outside")
		},
		tries:  []string{"race /src/p/dir/sub/f 1000 = [mine]"},
		during: swap,
	}
	row.run(t)
}

// swap has a directory and links take each other's place, until it is ended.
func swap(f *field) func() {
	in := func(name string) string { return filepath.Join(f.ws, "p", name) }
	f.busy = filepath.Join(f.ws, "p")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for turns := 0; ; turns++ {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(in("dir"), in("away"))
			_ = os.Symlink([]string{".git", "../../outside", "/etc"}[turns%3], in("dir"))
			_ = os.Remove(in("dir"))
			_ = os.Rename(in("away"), in("dir"))
		}
	}()
	return func() {
		close(stop)
		<-done
	}
}
