package cache_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAFolderThatOthersMayWriteToIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		dir  string
		code string // "" = it is accepted
	}{
		"nobody else writes there": {shared(t, 0o755), ""},
		"everybody does":           {shared(t, 0o777), "cache.open_folder"},
		"everybody adds to it":     {shared(t, 0o777|os.ModeSticky), "cache.open_folder"},
		"a group does":             {shared(t, 0o775), "cache.open_folder"},
		"it is a file":             {file, "cache.no_folder"},
		"it cannot be made":        {filepath.Join(file, "deeper"), "cache.no_folder"},
		"there is no home":         {".cache/wr", "cache.no_folder"},
		"there is no name":         {"", "cache.no_folder"},
		"another user made it":     {foreign(t), "cache.foreign_folder"},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := cache.Open(tt.dir, cache.Options{})
			if tt.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				_ = c.Close()
				return
			}
			f := fault.Of(err)
			if err == nil || f.Code != tt.code || f.Next == "" || !strings.Contains(f.Message, tt.dir) {
				t.Errorf("got %+v, want %s", f, tt.code)
			}
		})
	}
}

func shared(t *testing.T, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

// foreign is a folder of another user: for root one that is made, else root's.
func foreign(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/"
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 1, 1); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFolderIsMadeForItsUserAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	c := open(t, dir, cache.Options{})
	c.PutResult(cache.KeyOf("test"), cache.Result{})
	put(t, c, "report")
	_ = c.Close()
	err := filepath.Walk(filepath.Dir(dir), func(name string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNoLinkLeadsOutOfTheFolder(t *testing.T) {
	for _, name := range []string{"v1", "v1/cas", "v1/tmp", cache.IndexFile, cache.LockFile} {
		t.Run(name, func(t *testing.T) {
			dir, elsewhere := folder(t), t.TempDir()
			link := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Symlink(elsewhere+"/x", link)); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(name, "v1/results") { // that a file would be made through
				_ = os.Mkdir(elsewhere+"/x", 0o700)
			}
			c, err := cache.Open(dir, cache.Options{})
			if err == nil {
				_, _ = c.PutBlob([]byte("report"))
				c.PutResult(cache.KeyOf("test"), cache.Result{})
				err = c.Close()
			}
			if err == nil && name != "v1/cas" && name != "v1/tmp" {
				t.Error("nothing is said of the link")
			}
			left, _ := filepath.Glob(elsewhere + "/*/*")
			if _, err := os.Stat(elsewhere + "/x"); len(left) > 0 || err == nil && strings.HasPrefix(name, "v1/results") {
				t.Errorf("outside there is %v", left)
			}
		})
	}
}
