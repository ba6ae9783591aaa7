package view_test

import (
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/plugin/view"
)

// plant makes files below dir: "a/" is a directory, "a -> b" a link, other names
// are files that hold their own names.
func plant(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, n := range names {
		name, target, link := strings.Cut(n, " -> ")
		at := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case link:
			err = errors.Join(err, os.Symlink(target, at))
		case strings.HasSuffix(name, "/"):
			err = errors.Join(err, os.MkdirAll(at, 0o755))
		default:
			err = errors.Join(err, os.WriteFile(at, []byte(name), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func open(t *testing.T, dir string, globs ...string) (*view.View, *view.Tree) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := view.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	s, err := scope.New(globs)
	if err != nil {
		t.Fatal(err)
	}
	return view.New(tree, s), tree
}

// read is the content of a file, "dir", or the error's text.
func read(v *view.View, name string) string {
	f, e, err := v.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if e.Type == trace.Dir {
		return "dir"
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// long is a name that no file system has.
var long = strings.Repeat("n", 300)

const (
	missing = "no such file"
	notDir  = "not a directory"
)

func TestAViewShowsWhatIsGrantedAndNothingElse(t *testing.T) {
	top := t.TempDir()
	plant(t, top, "secret", "ws/a.sh", "ws/a.go", "ws/d/b.sh", "ws/.env", "ws/.git/HEAD", "ws/hidden/x.go",
		"ws/out -> ../secret", "ws/out.sh -> ../secret", "ws/abs.sh -> /etc/hostname", "ws/env.sh -> .env", "ws/go.sh -> a.go",
		"ws/ok.sh -> d/b.sh", "ws/up.sh -> d/../a.sh", "ws/d/up.sh -> ../a.sh", "ws/far.sh -> ../ws/a.sh", "ws/proc.sh -> /proc/self/environ",
		"ws/loop.sh -> loop.sh", "ws/ping.sh -> pong.sh", "ws/pong.sh -> ping.sh", "ws/gone.sh -> nothing.sh", "ws/chain.sh -> ok.sh",
		"ws/link -> d", "ws/git -> .git", "ws/hid.sh -> hidden/x.go", "ws/parent -> ..", "ws/slash.sh -> a.sh/", "ws/mid.sh -> link/../a.sh",
		"ws/root.sh -> /a.sh", "ws/rooted -> /d")
	v, tree := open(t, filepath.Join(top, "ws"), "**/*.sh")
	tests := map[string]string{
		".":               "dir",
		"a.sh":            "ws/a.sh",
		"d":               "dir",
		"d/b.sh":          "ws/d/b.sh",
		"ok.sh":           "ws/d/b.sh",
		"up.sh":           "ws/a.sh",
		"d/up.sh":         "ws/a.sh",
		"chain.sh":        "ws/d/b.sh",
		"link/b.sh":       "ws/d/b.sh",
		"link/up.sh":      "ws/a.sh",
		"mid.sh":          "ws/a.sh",
		"a.go":            missing,
		"A.SH":            missing,
		".env":            missing,
		".git":            missing,
		".git/HEAD":       missing,
		".GIT/HEAD":       missing,
		"git/HEAD":        missing,
		"git":             missing,
		"out":             missing,
		"out.sh":          missing,
		"far.sh":          missing,
		"abs.sh":          missing,
		"proc.sh":         missing,
		"root.sh":         missing,
		"rooted/b.sh":     missing,
		"d/.env" + long:   missing,
		".git/" + long:    missing,
		"d/" + long:       "file name too long",
		"env.sh":          missing,
		"go.sh":           missing,
		"hid.sh":          missing,
		"gone.sh":         missing,
		"parent":          missing,
		"parent/secret":   missing,
		"parent/ws/a.sh":  missing,
		"..":              missing,
		"../secret":       missing,
		"d/../a.sh":       missing,
		"/etc/hostname":   missing,
		"":                missing,
		"a.sh\x00":        missing,
		"a.sh/":           missing,
		"a.sh/x.sh":       notDir,
		"a.go/x.sh":       missing,
		".env/x.sh":       missing,
		"nothing/x.sh":    missing,
		"slash.sh":        notDir,
		"loop.sh":         "too many links",
		"ping.sh":         "too many links",
		"hidden/nope.sh":  missing,
		"d/b.sh/../b.sh":  missing,
		"link/../a.sh":    missing,
		"d/nope/../b.sh":  missing,
		"hidden/x.go/.sh": missing,
	}
	for range 2 {
		for name, want := range tests {
			if got := read(v, name); got != want {
				t.Errorf("open %q: got %q, want %q", name, got, want)
			}
			_, err := v.Stat(name)
			if got := err == nil; got != (want == "dir" || strings.HasPrefix(want, "ws/")) {
				t.Errorf("stat %q: got %v", name, err)
			}
		}
		tree.Plain() // the same again
	}
}

func TestALinkThatIsNotShownLeadsNowhere(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "d/b.sh", "l -> d", "l.sh -> d/b.sh", "d/up -> ..", "d/l.sh -> b.sh")
	v, _ := open(t, dir, "d/*.sh")
	for name, want := range map[string]string{"d/b.sh": "d/b.sh", "d/l.sh": "d/b.sh", "l/b.sh": missing, "l.sh": missing, "d/up/d/b.sh": missing} {
		if got := read(v, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestAListingHasWhatIsShown(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "z.sh", "a.sh", "a.go", "d/x.go", ".env", ".git/HEAD", "l.sh -> .env", "l.go -> a.sh", "\xff.sh")
	if err := unix.Mkfifo(filepath.Join(dir, "pipe.sh"), 0o600); err != nil {
		t.Fatal(err)
	}
	v, tree := open(t, dir, "**/*.sh")
	for _, v := range []*view.View{v, mustScope(t, tree.Snapshot(), "**/*.sh")} {
		f, e, err := v.Open(".")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		entries, err := v.List(f, e.Path)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name+":"+string(e.Type))
		}
		// l.go is shown: it might be a directory that holds something.
		if want := "a.sh:f d:d l.go:l l.sh:l z.sh:f"; err != nil || strings.Join(got, " ") != want {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
}

func mustScope(t *testing.T, tree *view.Tree, globs ...string) *view.View {
	t.Helper()
	s, err := scope.New(globs)
	if err != nil {
		t.Fatal(err)
	}
	return view.New(tree, s)
}

func TestLinksAreSeenAsLinks(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a/b", "l -> a", "hidden", "a/up -> ../l/b")
	v, _ := open(t, dir, "**")
	if e, err := v.Lstat("l"); err != nil || e.Type != trace.Symlink || e.Size != 1 {
		t.Errorf("got %+v, %v", e, err)
	}
	if target, err := v.Readlink("l"); err != nil || target != "a" {
		t.Errorf("got %q, %v", target, err)
	}
	if _, err := v.Readlink("a"); !errors.Is(err, view.ErrNotLink) {
		t.Errorf("got %v, want %v", err, view.ErrNotLink)
	}
	if e, err := v.Stat("l/up"); err != nil || e.Path != "a/b" || e.Name != "up" || e.Inode() != view.Inode("a/b") {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestWhatIsNoFileIsNeitherShownNorOpened(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mknod(filepath.Join(dir, "null"), unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))); err != nil && !errors.Is(err, unix.EPERM) {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(dir, "socket")}); err != nil {
		t.Fatal(err)
	}
	plant(t, dir, "link -> pipe", "abs -> /dev/zero")
	v, _ := open(t, dir, "**")
	for _, name := range []string{"pipe", "null", "socket", "link", "abs"} {
		if got := read(v, name); got != missing { // would wait for ever, if it opened a pipe to block
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A link that takes the place of a directory, again and again, gains nothing.
func TestARenameInBetweenGainsNothing(t *testing.T) {
	for _, name := range []string{"live", "live without openat2", "snapshot"} {
		snapshot := name == "snapshot"
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			plant(t, top, "outside/sub/f", "ws/.git/sub/f", "ws/real/sub/f", "ws/dir/sub/f", "ws/g")
			ws := filepath.Join(top, "ws")
			at := func(name string) string { return filepath.Join(ws, name) }
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					target := []string{".git", "../outside", "real"}[i%3]
					_ = os.Rename(at("dir"), at("away"))
					_ = os.Symlink(target, at("dir"))
					_ = os.Remove(at("dir"))
					_ = os.Rename(at("away"), at("dir"))
					_ = os.Remove(at("g")) // and a link that takes the place of a file
					_ = os.Symlink(target+"/sub/f", at("g"))
					_ = os.Remove(at("g"))
					_ = os.WriteFile(at("g"), []byte("ws/g"), 0o600)
				}
			}()
			v, tree := open(t, ws, "**")
			if name == "live without openat2" {
				tree.Plain()
			}
			seen := map[string]int{}
			for i := 0; i < 6_000 || seen[missing] == 0 || seen["ws/dir/sub/f"] == 0; i++ {
				if snapshot {
					v = mustScope(t, tree.Snapshot(), "**")
				}
				seen[read(v, "dir/sub/f")]++
				seen[read(v, "g")]++
			}
			close(stop)
			<-done
			for got := range seen {
				if strings.Contains(got, "outside") || strings.Contains(got, ".git") {
					t.Errorf("read %q", got)
				}
			}
		})
	}
}

func TestAHardLinkIsAFileLikeAnyOther(t *testing.T) {
	top := t.TempDir()
	plant(t, top, "ws/a.sh", "ws/.env")
	if err := os.Link(filepath.Join(top, "ws/.env"), filepath.Join(top, "ws/b.sh")); err != nil {
		t.Fatal(err)
	}
	v, _ := open(t, filepath.Join(top, "ws"), "*.sh")
	if got := read(v, "b.sh"); got != "ws/.env" {
		t.Errorf("got %q", got)
	}
}

func TestQuestionsAreAnsweredByWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "a", "d/x", "l -> a")
	v, tree := open(t, dir, "**")
	questions := []trace.Question{
		{Path: "a", Kind: trace.Stat}, {Path: "a", Kind: trace.Read}, {Path: "l", Kind: trace.Lstat}, {Path: "l", Kind: trace.Target}, {Path: "l", Kind: trace.Stat}, {Path: "d", Kind: trace.List}, {Path: ".", Kind: trace.List}, {Path: "n", Kind: trace.Stat}, {Path: "a/b", Kind: trace.Stat},
	}
	answers := func(v *view.View) (all []trace.Answer) {
		for _, q := range questions {
			a, err := v.Ask(q, v.Hash)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, a)
		}
		return all
	}
	changes := []struct {
		name   string
		change func() error
		differ string // paths of the questions that have another answer, with kinds
	}{
		{"nothing", func() error { return nil }, ""},
		{"time and mode", func() error { return os.Chmod(filepath.Join(dir, "a"), 0o700) }, ""},
		{"content", func() error { return os.WriteFile(filepath.Join(dir, "a"), []byte("b"), 0o600) }, "ar"},
		{"size", func() error { return os.WriteFile(filepath.Join(dir, "a"), []byte("bb"), 0o600) }, "as ar ls"},
		{"a new name", func() error { return os.WriteFile(filepath.Join(dir, "d/y"), nil, 0o600) }, "dd"},
		{"what was missing", func() error { return os.WriteFile(filepath.Join(dir, "n"), nil, 0o600) }, ".d ns"},
		{"a link", func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "l")), os.Symlink("n", filepath.Join(dir, "l")))
		}, "lt ls"},
		{"a file that becomes a directory", func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "a")), os.Mkdir(filepath.Join(dir, "a"), 0o755))
		}, "as ar .d a/bs"},
		{"a link to another file of the same size", func() error {
			return errors.Join(os.WriteFile(filepath.Join(dir, "m"), nil, 0o600), os.Remove(filepath.Join(dir, "l")), os.Symlink("m", filepath.Join(dir, "l")))
		}, "lt ls .d"},
	}
	before := answers(v)
	for _, tt := range changes {
		if err := tt.change(); err != nil {
			t.Fatal(err)
		}
		after := answers(v)
		var differ []string
		for i, q := range questions {
			if before[i] != after[i] {
				differ = append(differ, q.Path+string(q.Kind))
			}
		}
		if got := strings.Join(differ, " "); got != tt.differ {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.differ)
		}
		for i, a := range answers(mustScope(t, tree.Snapshot(), "**")) {
			if a != after[i] {
				t.Errorf("%s: a snapshot answers %+v to %v, want %+v", tt.name, a, questions[i], after[i])
			}
		}
		before = after
	}
}

// FuzzView: whatever the path, nothing but what a scope shows is opened.
func FuzzView(f *testing.F) {
	for _, seed := range []string{"a.sh", "l/b.sh", "l/../l/x", "d/up/d/b.sh", "../secret", "/etc/passwd", "d//b.sh", "self/self/a.sh", ".git/HEAD", "l/\x00", strings.Repeat("d/", 3000)} {
		f.Add(seed)
	}
	top := f.TempDir()
	for name, content := range map[string]string{"ws/a.sh": "ok", "ws/d/b.sh": "ok", "ws/d/c.go": "bad", "ws/.git/HEAD.sh": "bad", "secret.sh": "bad"} {
		at := filepath.Join(top, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.WriteFile(at, []byte(content), 0o600)); err != nil {
			f.Fatal(err)
		}
	}
	for name, target := range map[string]string{"l": "d", "d/up": "..", "self": ".", "out": "../..", "abs": "/", "git": ".git", "d/x.sh": "../l/b.sh", "s.sh": "../secret.sh"} {
		if err := os.Symlink(target, filepath.Join(top, "ws", name)); err != nil {
			f.Fatal(err)
		}
	}
	root, err := os.OpenRoot(filepath.Join(top, "ws"))
	if err != nil {
		f.Fatal(err)
	}
	defer root.Close()
	tree, err := view.Open(root)
	if err != nil {
		f.Fatal(err)
	}
	defer tree.Close()
	s, err := scope.New([]string{"**/*.sh"})
	if err != nil {
		f.Fatal(err)
	}
	v := view.New(tree, s)
	f.Fuzz(func(t *testing.T, name string) {
		got := read(v, name)
		if got == "bad" {
			t.Errorf("%q is read", name)
		}
		e, err := v.Stat(name)
		if (err == nil) != (got == "ok" || got == "dir") {
			t.Errorf("%q: stat says %v, open %q", name, err, got)
		}
		if err == nil && e.Type == trace.File && (!s.File(e.Path) || path.Clean(e.Path) != e.Path) {
			t.Errorf("%q leads to %q", name, e.Path)
		}
		snap, snapErr := view.New(tree.Snapshot(), s).Stat(name)
		if snap != e || (snapErr == nil) != (err == nil) {
			t.Errorf("%q: a snapshot says %+v, %v, want %+v, %v", name, snap, snapErr, e, err)
		}
	})
}
