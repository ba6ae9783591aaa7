package cli

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/daemon"
)

func TestCodeOfPluginsThatNobodyUsesIsCleanedUp(t *testing.T) {
	dir := t.TempDir()
	a := &app{dir: t.TempDir(), Process: Process{LookupEnv: func(name string) (string, bool) { return dir, name == "WR_CACHE_DIR" }}}
	const folder = "compiled/wazero-v1-linux-amd64/0123456789abcdef"
	write(t, dir, folder+"/record.json", `{"file":"x","size":4096,"sha256":""}`)
	write(t, dir, folder+"/code/x", "code")
	write(t, dir, "helpers/data/old/bin/wr-plugin", "program")
	long := time.Now().Add(-30 * 24 * time.Hour)
	if err := os.Chtimes(filepath.Join(dir, folder, "record.json"), long, long); err != nil {
		t.Fatal(err)
	}
	kinds := func(unused time.Duration, dry bool) (all []daemon.Kind) {
		t.Helper()
		removed, err := a.cleanCaches(t.Context(), unused, dry)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range removed {
			all = append(all, r.Kind)
		}
		return all
	}
	both := []daemon.Kind{"code", daemon.KindHelpers}
	if got := kinds(time.Hour, true); !slices.Equal(got, both) {
		t.Errorf("it would remove %v, want %v", got, both)
	}
	if got := kinds(60*24*time.Hour, true); !slices.Equal(got, both[1:]) {
		t.Errorf("before their time: %v, want %v", got, both[1:])
	}
	if got := a.cacheSizes(); len(got) != 2 || got[0].Name != "compiled" || got[0].Size == 0 {
		t.Errorf("the caches are %+v", got)
	}
	if got := kinds(time.Hour, false); !slices.Equal(got, both) {
		t.Errorf("it removed %v, want %v", got, both)
	}
	if got := kinds(time.Hour, false); len(got) != 0 {
		t.Errorf("again: %v", got)
	}
}
