package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// person writes a file of a person and returns it. Its home is its directory.
func person(t *testing.T, text string) PersonFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return PersonFile{Path: path, Name: filepath.Base(filepath.Dir(path)), Home: filepath.Dir(path)}
}

// absent is a file that is not there.
func absent(t *testing.T) PersonFile {
	t.Helper()
	return PersonFile{Path: filepath.Join(t.TempDir(), "none"), Name: "none"}
}

func TestALaterFileOfAPersonCountsOverAnEarlierOne(t *testing.T) {
	far := person(t, `[env]
allow = ["EDITOR"]
[mounts."/srv/a.b"]
source = "."
write = true
[mounts."/srv/other"]
source = "~"
[limits]
cpus = 2
memory = "1GiB"
[ports]
infra = ["8080"]
"apps/web" = ["80"]
[mirrors]
bookworm = "http://far"
`)
	near := person(t, `env.allow = ["PAGER"]
mounts."/srv/a.b".source = "~/"
limits.memory = "2GiB"
limits.timeout = "1m"
ports.infra = ["9090:90", "91"]
mirrors.bookworm = "http://near"
`)
	got, err := LoadPersonal(far, absent(t), near)
	if err != nil {
		t.Fatal(err)
	}
	want := Person{
		Env:     PersonEnv{Allow: []string{"EDITOR", "PAGER"}},
		Mounts:  map[string]Mount{"/srv/a.b": {Source: near.Home}, "/srv/other": {Source: far.Home}},
		Limits:  Limits{CPUs: 2, Memory: 2 << 30, Timeout: Duration(time.Minute)},
		Mirrors: map[string]string{"bookworm": "http://near"},
		Ports: map[string][]Port{
			"apps/web": {{"127.0.0.1:80", 80}}, "infra": {{"127.0.0.1:9090", 90}, {"127.0.0.1:91", 91}},
		},
	}
	if !reflect.DeepEqual(got.Person, want) {
		t.Errorf("got %+v, want %+v", got.Person, want)
	}
	settings := []Setting{
		{"env.allow", []any{"EDITOR"}, far.Name, 2},
		{"limits.cpus", 2.0, far.Name, 9},
		{`mounts."/srv/other".source`, far.Home, far.Name, 7},
		{`ports."apps/web"`, []any{"127.0.0.1:80:80"}, far.Name, 13},
		{"env.allow", []any{"PAGER"}, near.Name, 1},
		{"limits.memory", "2GiB", near.Name, 3},
		{"limits.timeout", "1m0s", near.Name, 4},
		{"mirrors.bookworm", "http://near", near.Name, 6},
		{`mounts."/srv/a.b".source`, near.Home, near.Name, 2},
		{"ports.infra", []any{"127.0.0.1:9090:90", "127.0.0.1:91:91"}, near.Name, 5},
	}
	if !reflect.DeepEqual(got.Settings, settings) {
		t.Errorf("got %+v\nwant %+v", got.Settings, settings)
	}
}

func TestWithoutFilesAPersonSaysNothing(t *testing.T) {
	got, err := LoadPersonal(absent(t))
	if err != nil || len(got.Settings) > 0 || len(got.Mounts) > 0 || got.Limits != (Limits{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestASourceIsWhereALinkLeads(t *testing.T) {
	file := person(t, `mounts."/srv/data".source = "link"`)
	if err := os.Symlink("config.toml", filepath.Join(file.Home, "link")); err != nil {
		t.Fatal(err)
	}
	got, err := LoadPersonal(file)
	if err != nil || got.Mounts["/srv/data"].Source != file.Path {
		t.Errorf("got %+v, %v, want %s", got.Mounts, err, file.Path)
	}
}

func TestAMistakeOfAPersonSaysWhereAndWhatInstead(t *testing.T) {
	for text, want := range map[string]string{
		`[mount]`:                            "unknown table [mount]",
		`mounts."relative".source = "/"`:     `[mounts] relative: "relative" is not an absolute path in the container`,
		`mounts."/usr".source = "/"`:         `[mounts] "/usr": /usr belongs to wr or to the system`,
		`mounts."/app/x".source = "/"`:       `[mounts] "/app/x": /app/x belongs to wr or to the system`,
		`mounts."/srv/x".write = true`:       `[mounts] "/srv/x".source: is missing or empty`,
		`mounts."/srv/x".source = "/no/way"`: `[mounts] "/srv/x".source: /no/way: no such file or directory`,
		`env.allow = ["A B"]`:                `[env] allow[0]: "A B" is not letters, digits and _`,
		`env.set.A = "b"`:                    `unknown table [env] set`,
		`mirrors.bookworm = ""`:              `[mirrors] bookworm: is empty`,
		`limits.memory = "1MB"`:              `[limits] memory: 1MB is less than 16MiB`,
		`limits.cpu = 1`:                     `unknown key [limits] cpu`,
		`limits.pids = 0`:                    `[limits] pids: is nothing, and would leave the limit of wr.toml; --pids 0`,
		`limits.memory = "0"`:                `[limits] memory: is nothing`,
		`ports.infra = ["http"]`:             `[ports] infra[0]: "http" is no port such as 8080, 8080:80`,
		`ports.infra = [8080]`:               `[ports] infra[0]: expected a string, got a number`,
		`ports.infra = "8080"`:               `[ports] infra: expected a list of strings, got a string`,
		`suites = {}`:                        `unknown table [suites]`,
		`env = `:                             "",
	} {
		t.Run(text, func(t *testing.T) {
			file := person(t, text)
			if _, err := LoadPersonal(file); err == nil || !strings.HasPrefix(err.Error(), file.Name+":1: "+want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestWhatIsNoFileIsNamed(t *testing.T) {
	dir := t.TempDir()
	if _, err := LoadPersonal(PersonFile{Path: dir, Name: "config.toml"}); err == nil || !strings.Contains(err.Error(), "config.toml") {
		t.Errorf("got %v", err)
	}
}
