package engine

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// makeDatabases fills all databases of dirs.
func makeDatabases(t *testing.T, dirs Dirs) {
	t.Helper()
	for _, path := range dirs.databases() {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		db, err := bolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucket([]byte("b"))
			if err != nil {
				return err
			}
			return b.Put([]byte("k"), bytes.Repeat([]byte("v"), 100_000))
		})
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMendState(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, dirs Dirs)
		want  string // in the warning; "" is none
	}{
		{name: "nothing there", spoil: func(t *testing.T, dirs Dirs) {}},
		{name: "all is well", spoil: makeDatabases},
		{name: "garbage", want: "meta.db: invalid database", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			overwrite(t, dirs.databases()[0], bytes.Repeat([]byte("garbage "), 4096))
		}},
		{name: "truncated", want: "metadata.db: truncated to", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			if err := os.Truncate(dirs.databases()[1], 40_960); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "empty page after the head", want: "metadata_v2.db", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			if err := os.Truncate(dirs.databases()[2], 100); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "empty", want: "meta.db: empty", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			overwrite(t, dirs.databases()[0], nil)
		}},
		{name: "one death is chance", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			overwrite(t, dirs.opening("buildkit"), []byte("x"))
		}},
		{name: "two deaths are damage", want: "buildkit died 2 times", spoil: func(t *testing.T, dirs Dirs) {
			makeDatabases(t, dirs)
			overwrite(t, dirs.opening("buildkit"), []byte("xx"))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dirs := testDirs(t)
			if err := dirs.makeDirs(access{gid: -1}); err != nil {
				t.Fatal(err)
			}
			tt.spoil(t, dirs)
			helper := filepath.Join(dirs.State, "data", "helper")
			write(t, dirs.State, "data/helper", "kept")
			write(t, dirs.State, "state.bad-1/containerd/old", "")
			warning, err := mendState(dirs, time.Unix(77, 0))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" && warning != "" || !strings.Contains(warning, tt.want) {
				t.Errorf("got warning %q, want one with %q", warning, tt.want)
			}
			aside := filepath.Join(dirs.State, "state.bad-77")
			if moved := exists(aside + "/containerd"); moved != (tt.want != "") {
				t.Errorf("moved aside: %v", moved)
			}
			if old := exists(dirs.State + "/state.bad-1"); old != (tt.want == "") {
				t.Errorf("the state put aside before is there: %v", old)
			}
			if !exists(helper) || !exists(dirs.ContainerdRoot()) || !exists(dirs.BuildkitRoot()) {
				t.Error("helpers or directories are gone")
			}
			if again, err := mendState(dirs, time.Unix(78, 0)); err != nil || again != "" {
				t.Errorf("mended again: %q, %v", again, err)
			}
		})
	}
}

func TestADatabaseThatSomebodyHasOpenIsNotDamaged(t *testing.T) {
	dirs := testDirs(t)
	if err := dirs.makeDirs(access{gid: -1}); err != nil {
		t.Fatal(err)
	}
	makeDatabases(t, dirs)
	db, err := bolt.Open(dirs.databases()[0], 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	warning, err := mendState(dirs, time.Unix(77, 0))
	if !errors.Is(err, bolterrors.ErrTimeout) || warning != "" || exists(dirs.State+"/state.bad-77") {
		t.Errorf("got %q, %v", warning, err)
	}
}

func TestGuardCountsOpeningsThatNeverReturn(t *testing.T) {
	dirs := testDirs(t)
	failed := errors.New("failed")
	err := dirs.guard("containerd", func() error {
		if !exists(dirs.opening("containerd")) {
			t.Error("not counted while it opens")
		}
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v, want %v", err, failed)
	}
	if exists(dirs.opening("containerd")) {
		t.Error("an opening that returned is counted as a death")
	}
}

func overwrite(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
