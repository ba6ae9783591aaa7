package vfs_test

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/vfs"
)

// FuzzFS: whatever is called in whatever order, nothing outside is reached or
// written, limits hold, and what is closed and removed counts no more.
func FuzzFS(f *testing.F) {
	for _, seed := range []string{
		"o src/a.sh\nr\nc", "w out/x\np hello\nm out/d\nv out/x out/d/y\nd", "o src/l/../secret\no src/up/secret.sh\no ../secret.sh\no /etc/passwd",
		"w tmp/x\nu tmp/x\np 12345678901234567890\nt\nc", "m tmp/a\nm tmp/a/b\nv tmp/a tmp/a/b/c\nv tmp/a out\nx tmp/a/b\nx tmp/a", "o src\nl\no out\nl\no .\nl\nc",
		"w out/a\nw out/b\nv out/a out/b\nu out/b\np 1\nc\nd", "w src/a.sh\nu src/a.sh\nv src/a.sh out/a\nm src/n\nw .\nm .\nx out\nu tmp",
	} {
		f.Add(seed)
	}
	top := f.TempDir()
	for name, content := range map[string]string{"ws/a.sh": "ok", "ws/d/b.sh": "ok", "ws/c.go": "bad", "ws/.env.sh": "bad", "secret.sh": "bad"} {
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(content), 0o600)); err != nil {
			f.Fatal(err)
		}
	}
	for name, target := range map[string]string{"l": "d", "up": "..", "c.sh": "c.go", "s.sh": "../secret.sh"} {
		if err := os.Symlink(target, filepath.Join(top, "ws", name)); err != nil {
			f.Fatal(err)
		}
	}
	s, err := scope.New([]string{"**/*.sh"})
	if err != nil {
		f.Fatal(err)
	}
	limits := vfs.Limits{Bytes: 64, Files: 5, Open: 6, Held: 1 << 10}
	f.Fuzz(func(t *testing.T, program string) {
		root, err := os.OpenRoot(filepath.Join(top, "ws"))
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		fs, err := vfs.New(vfs.Config{Root: root, Scope: s, Limits: limits})
		if err != nil {
			t.Fatal(err)
		}
		defer fs.Close()
		p := player{t: t, fs: fs}
		for line := range strings.SplitSeq(program, "\n") {
			p.play(line)
			if c := fs.Counts(); c.Bytes < 0 || c.Bytes > limits.Bytes || c.Files < 0 || c.Files > limits.Files || c.Open > limits.Open+1 || c.Held < 0 || c.Held > limits.Held {
				t.Fatalf("%q: %+v", line, c)
			}
		}
		for len(p.open) > 0 {
			p.play("c")
		}
		for name := range fs.Drain() {
			if !filepath.IsLocal(name) || path.Clean(name) != name {
				t.Errorf("%q in /out", name)
			}
		}
		p.clear("tmp")
		if c := fs.Counts(); c != (vfs.Counts{}) {
			t.Errorf("left behind: %+v", c)
		}
	})
}

// player does what the lines of a program say.
type player struct {
	t    *testing.T
	fs   *vfs.FS
	open []sys.File
}

func (p *player) play(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	a, b, _ := strings.Cut(rest, " ")
	switch verb {
	case "o", "w":
		flag := sys.O_RDONLY
		if verb == "w" {
			flag = sys.O_RDWR | sys.O_CREAT
		}
		if f, errno := p.fs.OpenFile(a, flag, 0); errno == 0 {
			p.open = append(p.open, f)
		}
	case "m":
		p.fs.Mkdir(a, 0)
	case "x":
		p.fs.Rmdir(a)
	case "u":
		p.fs.Unlink(a)
	case "v":
		p.fs.Rename(a, b)
	case "s":
		p.fs.Stat(a)
	case "d":
		p.fs.Drain()
	default:
		if len(p.open) > 0 {
			p.use(verb, rest)
		}
	}
}

// use does something with the file that was opened last.
func (p *player) use(verb, text string) {
	f := p.open[len(p.open)-1]
	switch verb {
	case "c":
		f.Close()
		p.open = p.open[:len(p.open)-1]
	case "r":
		b := make([]byte, 100)
		if n, _ := f.Pread(b, 0); strings.Contains(string(b[:n]), "bad") {
			p.t.Errorf("read %q", b[:n])
		}
	case "p":
		f.Write([]byte(strings.ReplaceAll(text, "bad", "b_d")))
	case "t":
		f.Truncate(int64(len(text)) * 7)
	case "k":
		f.Seek(int64(len(text)), len(text)%3)
	case "l":
		f.Readdir(len(text))
		f.Seek(0, 0)
	}
}

// clear removes everything in a directory in memory.
func (p *player) clear(dir string) {
	d, errno := p.fs.OpenFile(dir, 0, 0)
	if errno != 0 {
		p.t.Fatal(errno)
	}
	names, _ := d.Readdir(0)
	d.Close()
	for _, n := range names {
		at := dir + "/" + n.Name
		if n.IsDir() {
			p.clear(at)
			p.fs.Rmdir(at)
		} else if errno := p.fs.Unlink(at); errno != 0 {
			p.t.Errorf("remove %s: %v", at, errno)
		}
	}
}
