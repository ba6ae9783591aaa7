package helper

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// write makes an executable file.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// content is something that takes a few blocks and compresses a little.
func content(seed byte) string {
	var random [200 << 10]byte
	rand.NewChaCha8([32]byte{seed}).Read(random[:])
	return "#!/bin/sh\n" + string(random[:]) + strings.Repeat("x", 200<<10)
}

// packIn packs helpers with these contents and returns where.
func packIn(t testing.TB, contents map[string]string) string {
	t.Helper()
	in, out := t.TempDir(), t.TempDir()
	var files []string
	for name, text := range contents {
		write(t, filepath.Join(in, name), text)
		files = append(files, filepath.Join(in, name))
	}
	if err := Pack(out, files); err != nil {
		t.Fatal(err)
	}
	return out
}

// both are the two helpers that make packs.
func both() map[string]string {
	return map[string]string{"wr-agent": content(1), "containerd-shim-runc-v2": content(2)}
}

// find is a finder on a machine that allows everything and has nothing.
func find(assets fs.FS) finder {
	return finder{
		assets: assets, arch: "amd64",
		noexec: func(string) bool { return false },
		search: func(string) string { return "" },
	}
}

// read returns a file's content.
func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPackedHelpersComeOutAsTheyWentIn(t *testing.T) {
	state := t.TempDir()
	set, err := find(os.DirFS(packIn(t, both()))).find(state)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []Helper{set.Shim, set.Agent} {
		if got := read(t, h.Path); got != both()[h.Name] || h.Source != Embedded {
			t.Errorf("%+v has %d bytes", h, len(got))
		}
		info, _ := os.Stat(h.Path)
		if info.Mode() != 0o755 {
			t.Errorf("%s has mode %v", h.Name, info.Mode())
		}
		if rel, _ := filepath.Rel(state, h.Path); !strings.HasPrefix(rel, "data/") || filepath.Base(filepath.Dir(rel)) != "bin" {
			t.Errorf("it lies in %s", rel)
		}
	}
	if set.Runc != (Helper{Name: "runc", Source: Missing}) {
		t.Errorf("got %+v", set.Runc)
	}
}

func TestPackIsDeterministicAndRemovesWhatIsOld(t *testing.T) {
	in := t.TempDir()
	a, b := filepath.Join(in, "a"), filepath.Join(in, "b")
	write(t, a, content(1))
	write(t, b, content(2))
	one, two := t.TempDir(), t.TempDir()
	write(t, filepath.Join(two, "gone.zst"), "old")
	write(t, filepath.Join(two, ".gitignore"), "*")
	if err := Pack(one, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	if err := Pack(two, []string{b, a}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.zst", "b.zst", manifestName} {
		if read(t, filepath.Join(one, name)) != read(t, filepath.Join(two, name)) {
			t.Errorf("%s differs", name)
		}
	}
	entries, _ := os.ReadDir(two)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != ".gitignore a.zst b.zst manifest.json" {
		t.Errorf("got %s", got)
	}
	before, _ := os.Stat(filepath.Join(two, "a.zst"))
	if err := Pack(two, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(filepath.Join(two, "a.zst")); !os.SameFile(before, after) {
		t.Error("an unchanged file was written again")
	}
	if err := Pack(two, []string{a, a}); err == nil {
		t.Error("packed two helpers of one name")
	}
	if err := Pack(two, []string{in + "/none"}); err == nil {
		t.Error("packed a file that is not there")
	}
}

func TestSecondUnpackReadsNoHelper(t *testing.T) {
	packed := packIn(t, both())
	state := t.TempDir()
	first, err := find(os.DirFS(packed)).find(state)
	if err != nil {
		t.Fatal(err)
	}
	counting := &countingFS{FS: os.DirFS(packed), opened: map[string]int{}}
	second, err := find(counting).find(state)
	if err != nil || second != first {
		t.Errorf("got %+v, %v", second, err)
	}
	if n := counting.opened["wr-agent.zst"] + counting.opened["containerd-shim-runc-v2.zst"]; n != 0 {
		t.Errorf("%d helpers were decompressed", n)
	}
}

// countingFS counts what is opened to be read.
type countingFS struct {
	fs.FS
	opened map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.opened[name]++
	return c.FS.Open(name)
}

func (c *countingFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }

func TestDamagedFileIsRepairedAndOnlyThat(t *testing.T) {
	tests := map[string]func(path string) error{
		"truncated": func(p string) error { return os.Truncate(p, 1000) },
		"emptied":   func(p string) error { return os.Truncate(p, 0) },
		"removed":   os.Remove,
		"changed": func(p string) error {
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(p, data, 0o755)
		},
		"not executable": func(p string) error { return os.Chmod(p, 0o644) },
		"another file": func(p string) error {
			return os.Rename(filepath.Join(filepath.Dir(p), "containerd-shim-runc-v2"), p)
		},
		"a link": func(p string) error {
			return cmpOr(os.Remove(p), os.Symlink("/bin/true", p))
		},
		"half written": func(p string) error {
			return cmpOr(os.Remove(p), os.WriteFile(filepath.Join(filepath.Dir(p), temporary+"1"), []byte("half"), 0o600))
		},
		"unmarked": func(p string) error { return os.Remove(filepath.Join(p, "../../checked.json")) },
		"marked with nonsense": func(p string) error {
			return os.WriteFile(filepath.Join(p, "../../checked.json"), []byte("{"), 0o644)
		},
	}
	packed := packIn(t, both())
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			set, err := find(os.DirFS(packed)).find(state)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(filepath.Clean(set.Agent.Path)); err != nil {
				t.Fatal(err)
			}
			again, err := find(os.DirFS(packed)).find(state)
			if err != nil || again != set {
				t.Fatalf("got %+v, %v", again, err)
			}
			for _, h := range []Helper{set.Shim, set.Agent} {
				info, err := os.Lstat(h.Path)
				if err != nil || info.Mode() != 0o755 || read(t, h.Path) != both()[h.Name] {
					t.Errorf("%s is not repaired: %v, %v", h.Name, info, err)
				}
			}
			entries, _ := os.ReadDir(filepath.Dir(set.Agent.Path))
			if len(entries) != 2 {
				t.Errorf("%d files are left", len(entries))
			}
		})
	}
}

// cmpOr returns the first error.
func cmpOr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestManyAtOnceAgree(t *testing.T) {
	packed := packIn(t, both())
	state := t.TempDir()
	var running sync.WaitGroup
	for range 12 {
		running.Go(func() {
			set, err := find(os.DirFS(packed)).find(state)
			if err != nil {
				t.Error(err)
				return
			}
			if data, err := os.ReadFile(set.Agent.Path); err != nil || string(data) != both()["wr-agent"] {
				t.Errorf("got %d bytes, %v", len(data), err)
			}
		})
	}
	running.Wait()
}

func TestAnotherBuildHasAnotherDirectory(t *testing.T) {
	state := t.TempDir()
	one, err := find(os.DirFS(packIn(t, map[string]string{"wr-agent": "one"}))).find(state)
	if err != nil {
		t.Fatal(err)
	}
	two, err := find(os.DirFS(packIn(t, map[string]string{"wr-agent": "two"}))).find(state)
	if err != nil {
		t.Fatal(err)
	}
	if read(t, one.Agent.Path) != "one" || read(t, two.Agent.Path) != "two" {
		t.Error("one build replaced the helpers of another, which may be in use")
	}
}

func TestBrokenBuildIsAFaultAndLeavesNothing(t *testing.T) {
	packed := packIn(t, both())
	data := []byte(read(t, filepath.Join(packed, "wr-agent.zst")))
	tests := map[string][]byte{
		"no zstd":     []byte("nonsense"),
		"truncated":   data[:len(data)/2],
		"bit flipped": append(append(bytes.Clone(data[:1000]), data[1000]^1), data[1001:]...),
		"another":     []byte(read(t, filepath.Join(packed, "containerd-shim-runc-v2.zst"))),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			assets := fstest.MapFS{"wr-agent.zst": {Data: bad}, manifestName: {Data: []byte(read(t, filepath.Join(packed, manifestName)))}}
			_, err := find(assets).find(state)
			if !fault.HasCode(err, "helper.damaged") {
				t.Errorf("got %v", err)
			}
			left, _ := filepath.Glob(state + "/data/*/bin/*")
			hidden, _ := filepath.Glob(state + "/data/*/bin/.*")
			if len(left)+len(hidden) > 0 {
				t.Errorf("it left %v %v", left, hidden)
			}
		})
	}
}

func TestStateThatCannotBeWrittenIsAFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	write(t, file, "a file, not a directory")
	_, err := find(os.DirFS(packIn(t, both()))).find(file)
	if !fault.HasCode(err, "helper.unpack_failed") || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got %v", err)
	}
}

func TestNoexecDirectoryIsAFault(t *testing.T) {
	f := find(os.DirFS(packIn(t, both())))
	state := t.TempDir()
	f.noexec = func(dir string) bool { return strings.HasPrefix(dir, state) }
	_, err := f.find(state)
	if !fault.HasCode(err, "helper.noexec") || !strings.Contains(fault.Of(err).Next, "WR_ENGINE_DIR") {
		t.Errorf("got %v", err)
	}
	if noexec(t.TempDir()) {
		t.Error("the test's own directory cannot execute")
	}
}

func TestWhatABuildLacksIsLookedUp(t *testing.T) {
	tests := []struct {
		name   string
		assets fs.FS
	}{
		{"nothing is embedded", fstest.MapFS{".gitignore": {}}},
		{"the manifest is nonsense", fstest.MapFS{manifestName: {Data: []byte("?")}}},
		{"the manifest is left over", fstest.MapFS{manifestName: {Data: []byte(`{"helpers":[{"name":"wr-agent"}]}`)}}},
		{"the helper is for another machine", fstest.MapFS{
			manifestName:   {Data: []byte(`{"helpers":[{"name":"wr-agent","arch":"arm64"}]}`)},
			"wr-agent.zst": {},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := find(tt.assets)
			f.search = func(name string) string { return "/usr/bin/" + name }
			state := t.TempDir()
			set, err := f.find(state)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range set.All() {
				if h.Source != Path || h.Path != "/usr/bin/"+h.Name {
					t.Errorf("got %+v", h)
				}
			}
			if entries, _ := os.ReadDir(state); len(entries) != 0 {
				t.Error("something was unpacked")
			}
		})
	}
}

func TestMissingHelperNamesTheCure(t *testing.T) {
	set, err := find(fstest.MapFS{}).find(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	err = set.Require(t.Context())
	if !fault.HasCode(err, "helper.missing") {
		t.Errorf("got %v", err)
	}
	for i, next := range []string{"make build", "make build", "apt-get install runc"} {
		err := kinds()[i].require(t.Context(), set.All()[i])
		if f := fault.Of(err); f == nil || f.Code != "helper.missing" || !strings.Contains(f.Next, next) {
			t.Errorf("%s: got %v", set.All()[i].Name, err)
		}
	}
}

func TestVersionsAreReadAndOldShimsRefused(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		helper, prints, version string
		usable                  bool
	}{
		{"containerd-shim-runc-v2", "containerd-shim-runc-v2:\n  Version:  2.4.2+unknown\n  Revision: \n", "2.4.2", true},
		{"containerd-shim-runc-v2", "containerd-shim-runc-v2:\n  Version:  1.7.35\n", "1.7.35", true},
		{"containerd-shim-runc-v2", "containerd-shim-runc-v2:\n  Version:  1.6.20~ds1\n", "1.6.20~ds1", false},
		{"containerd-shim-runc-v2", "what?\n", "unknown", false},
		{"wr-agent", "wr-agent protocol 1\n", "protocol 1", true},
		{"runc", "runc version 1.1.5+ds1\ncommit: x\n", "1.1.5+ds1", true},
	}
	for _, tt := range tests {
		t.Run(tt.helper+" "+tt.version, func(t *testing.T) {
			path := filepath.Join(dir, tt.helper)
			write(t, path, "#!/bin/sh\ncat <<'END'\n"+tt.prints+"END\n")
			h := Helper{Name: tt.helper, Path: path, Source: Path}
			if got, _ := h.Version(t.Context()); got != tt.version {
				t.Errorf("got version %q", got)
			}
			for i, k := range kinds() {
				if k.name != tt.helper {
					continue
				}
				if err := kinds()[i].require(t.Context(), h); (err == nil) != tt.usable {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	if _, err := (Helper{Name: "other"}).Version(t.Context()); err == nil {
		t.Error("a helper of no kind has a version")
	}
}

func TestAHelperThatHangsCostsABoundedTime(t *testing.T) {
	for name, script := range map[string]string{
		"itself":            "exec sleep 20",
		"in a child":        "sleep 20; true",
		"but for its child": "sleep 20 & echo runc version 1.2.3",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "runc")
			write(t, path, "#!/bin/sh\n"+script+"\n")
			begin := time.Now()
			_, err := kinds()[2].ask(t.Context(), path, 100*time.Millisecond)
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want an error that names %s", err, path)
			}
		})
	}
}

func TestThisBuildUnpacks(t *testing.T) {
	set, err := Unpack(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	carried := Carried()
	for _, h := range set.All() {
		if (h.Source == Embedded) != slices.Contains(carried, h.Name) {
			t.Errorf("%+v, but the build carries %q", h, carried)
		}
	}
}

func TestSearchFindsProgramsOfRoot(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "wr-agent"), "#!/bin/sh\n")
	t.Setenv("PATH", dir)
	if got := search("wr-agent"); got != filepath.Join(dir, "wr-agent") {
		t.Errorf("on PATH: got %q", got)
	}
	if got := search("chroot"); !strings.HasSuffix(got, "/sbin/chroot") {
		t.Errorf("behind PATH: got %q", got)
	}
	if got := search("no-such-helper"); got != "" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkFindUnpacked(b *testing.B) {
	assets := os.DirFS(packIn(b, both()))
	state := b.TempDir()
	for b.Loop() {
		if _, err := find(assets).find(state); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheProgramOfPluginsIsUnpackedByItself(t *testing.T) {
	contents := both()
	contents[pluginName] = content(3)
	f, dir := find(os.DirFS(packIn(t, contents))), t.TempDir()
	got, err := f.plugin(dir, "linux")
	if err != nil || got.Source != Embedded || read(t, got.Path) != contents[pluginName] {
		t.Fatalf("got %+v, %v", got, err)
	}
	if all, _ := os.ReadDir(filepath.Dir(got.Path)); len(all) != 1 {
		t.Errorf("there is more: %v", all)
	}
	set, err := f.find(dir)
	if err != nil || filepath.Dir(set.Agent.Path) == filepath.Dir(got.Path) {
		t.Errorf("the engine's helpers are %+v, %v", set, err)
	}
	if got, err := f.plugin(dir, "darwin"); err != nil || got.Source != Missing || got.Path != "" {
		t.Errorf("elsewhere: %+v, %v", got, err)
	}
	if got, err := find(os.DirFS(packIn(t, both()))).plugin(dir, "linux"); err != nil || got.Source != Missing || got.Path != "" {
		t.Errorf("in a build without it: %+v, %v", got, err)
	}
	f.noexec = func(string) bool { return true }
	if got, err := f.plugin(dir, "linux"); !fault.HasCode(err, "helper.noexec") || got.Path != "" {
		t.Errorf("where nothing may be run: %+v, %v", got, err)
	}
}
