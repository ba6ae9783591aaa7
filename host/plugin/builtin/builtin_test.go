package builtin_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/wr-build/wr/host/plugin/builtin"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/store"
)

// plugin writes a module of that name and returns its path and its bytes.
func plugin(t *testing.T, dir, name string) (string, []byte) {
	t.Helper()
	section := fmt.Sprintf(`{"abi":"wr/1","name":%q,"version":"1.2.3","kind":"rpc","provides":{"discover":true}}`, name)
	data, err := module.WithManifest(moduletest.Hello(name).Bytes(), []byte(section))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name+".wasm")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, data
}

func TestPackedPluginsComeOutAsTheyWentIn(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	lint, lintData := plugin(t, in, "lint")
	deps, _ := plugin(t, in, "deps")
	if err := builtin.Pack(out, []string{lint, deps}); err != nil {
		t.Fatal(err)
	}
	s := builtin.Open(os.DirFS(out))
	if got := s.Names(); !slices.Equal(got, []string{"deps", "lint"}) {
		t.Errorf("got %q", got)
	}
	p, found := s.Find("lint")
	if !found || p.Version != "1.2.3" || p.Digest != store.Digest(lintData) || p.Size != int64(len(lintData)) || len(p.Manifest) == 0 {
		t.Errorf("got %+v, %t", p, found)
	}
	if got, err := s.Module("lint"); err != nil || !bytes.Equal(got, lintData) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := s.Module("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestPackKeepsWhatIsSoAndRemovesWhatIsOld(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	lint, _ := plugin(t, in, "lint")
	deps, _ := plugin(t, in, "deps")
	pack := func(modules ...string) {
		t.Helper()
		if err := builtin.Pack(out, modules); err != nil {
			t.Fatal(err)
		}
	}
	pack(lint, deps)
	before, err := os.Stat(filepath.Join(out, "lint.wasm.zst"))
	if err != nil {
		t.Fatal(err)
	}
	pack(lint)
	if after, err := os.Stat(filepath.Join(out, "lint.wasm.zst")); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was compressed again, %v", err)
	}
	if _, err := os.Stat(filepath.Join(out, "deps.wasm.zst")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not carried any more: %v", err)
	}
	if err := os.WriteFile(lint, moduletest.Return().Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := builtin.Pack(out, []string{lint}); err == nil {
		t.Error("packed a module without a manifest")
	}
	if err := builtin.Pack(out, []string{deps, deps}); err == nil {
		t.Error("packed two of one name")
	}
}

func TestADamagedPluginIsAnErrorAndABrokenIndexIsNothing(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	lint, _ := plugin(t, in, "lint")
	deps, _ := plugin(t, in, "deps")
	if err := builtin.Pack(out, []string{lint, deps}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(out, "deps.wasm.zst"), filepath.Join(out, "lint.wasm.zst")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lint", "deps"} {
		if got, err := builtin.Open(os.DirFS(out)).Module(name); err == nil {
			t.Errorf("%s: got %d bytes", name, len(got))
		}
	}
	for _, assets := range []fs.FS{fstest.MapFS{}, fstest.MapFS{"index.json": {Data: []byte("?")}}} {
		if s := builtin.Open(assets); len(s.All()) != 0 {
			t.Errorf("got %+v", s.All())
		}
	}
}

func TestWhatThisBuildCarriesCanBeUnpacked(t *testing.T) {
	carried := builtin.Carried()
	for _, p := range carried.All() {
		if data, err := carried.Module(p.Name); err != nil || int64(len(data)) != p.Size {
			t.Errorf("%s: got %d bytes, %v", p.Name, len(data), err)
		}
	}
}
