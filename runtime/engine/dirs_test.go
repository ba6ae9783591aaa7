package engine

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestDefaultDirs(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		uid  int
		want Dirs
		code string
	}{
		{name: "root gets the system's", want: Dirs{"/var/lib/wr", "/run/wr"}},
		{name: "root ignores XDG", env: map[string]string{"XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/r"}, want: Dirs{"/var/lib/wr", "/run/wr"}},
		{name: "WR_ENGINE_DIR wins for root", env: map[string]string{"WR_ENGINE_DIR": "/x"}, want: Dirs{"/x/state", "/x/run"}},
		{name: "WR_ENGINE_DIR wins for a user", env: map[string]string{"WR_ENGINE_DIR": "/x", "XDG_DATA_HOME": "/d"}, uid: 7, want: Dirs{"/x/state", "/x/run"}},
		{name: "a user gets XDG's", env: map[string]string{"XDG_DATA_HOME": "/d", "XDG_RUNTIME_DIR": "/run/user/7"}, uid: 7, want: Dirs{"/d/wr", "/run/user/7/wr"}},
		{name: "a user without XDG gets home and tmp", env: map[string]string{"HOME": "/home/u"}, uid: 7, want: Dirs{"/home/u/.local/share/wr", "/tmp/wr-7"}},
		{name: "relative XDG is ignored", env: map[string]string{"HOME": "/home/u", "XDG_DATA_HOME": "d", "XDG_RUNTIME_DIR": "r"}, uid: 7, want: Dirs{"/home/u/.local/share/wr", "/tmp/wr-7"}},
		{name: "no home at all", uid: 7, code: "engine.no_home"},
		{name: "relative WR_ENGINE_DIR", env: map[string]string{"WR_ENGINE_DIR": "x"}, code: "engine.bad_path"},
		{name: "longest run directory", env: map[string]string{"WR_ENGINE_DIR": "/" + strings.Repeat("x", 35)}, want: Dirs{"/" + strings.Repeat("x", 35) + "/state", "/" + strings.Repeat("x", 35) + "/run"}},
		{name: "too long run directory", env: map[string]string{"WR_ENGINE_DIR": "/" + strings.Repeat("x", 36)}, code: "engine.path_too_long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DefaultDirs(func(key string) string { return tt.env[key] }, tt.uid)
			if tt.code != "" {
				f := fault.Of(err)
				if f == nil || f.Code != tt.code || f.Next == "" {
					t.Fatalf("got %+v, want %s with a next step", f, tt.code)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestEveryPathIsBelowItsDirectoryAndSocketsAreShort(t *testing.T) {
	d := Dirs{State: "/" + strings.Repeat("s", 200), Run: "/" + strings.Repeat("r", maxRun-1)}
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	v := reflect.ValueOf(d)
	for i := range v.NumMethod() {
		method, name := v.Method(i), v.Type().Method(i).Name
		if method.Type().NumIn() != 0 || method.Type().Out(0).Kind() != reflect.String {
			continue
		}
		path := method.Call(nil)[0].String()
		if other, ok := seen[path]; ok {
			t.Errorf("%s and %s are both %s", name, other, path)
		}
		seen[path] = name
		if dir := filepath.Dir(path); dir != d.State && dir != d.Run {
			t.Errorf("%s: %s is not directly below state or run", name, path)
		}
		if strings.HasSuffix(name, "Socket") && len(path) > 104 {
			t.Errorf("%s has %d bytes", name, len(path))
		}
	}
	if shim := filepath.Join(d.Shims(), strings.Repeat("f", 64)); len(shim) > 107 {
		t.Errorf("a shim's socket has %d bytes", len(shim))
	}
	if len(seen) < 14 {
		t.Errorf("looked at %d methods only", len(seen))
	}
}

func TestOnlyDirectoriesOfRootAndTheUserAreTrusted(t *testing.T) {
	run := t.TempDir()
	d, uid := Dirs{Run: run}, os.Geteuid()
	tests := []struct {
		name   string
		uid    int
		change func() error
		ok     bool
	}{
		{name: "the user's own", uid: uid, ok: true, change: func() error { return nil }},
		{name: "another user's", uid: uid + 1, ok: uid == 0, change: func() error { return nil }},
		{name: "open to everybody", uid: uid, change: func() error { return os.Chmod(run, 0o777) }},
		{name: "not there", uid: uid, ok: true, change: func() error { return os.Remove(run) }},
		{name: "a link", uid: uid, change: func() error { return os.Symlink(t.TempDir(), run) }},
	}
	for _, tt := range tests {
		if err := tt.change(); err != nil {
			t.Fatal(err)
		}
		if err := d.Trust(tt.uid); (err == nil) != tt.ok || err != nil && !fault.HasCode(err, "engine.foreign_dir") {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}

func TestAnEngineInAForeignDirectoryIsNotAsked(t *testing.T) {
	run := t.TempDir()
	if err := os.Chmod(run, 0o777); err != nil {
		t.Fatal(err)
	}
	if up, err := answers(Dirs{Run: run}); up || !fault.HasCode(err, "engine.foreign_dir") {
		t.Errorf("got %v, %v", up, err)
	}
}
