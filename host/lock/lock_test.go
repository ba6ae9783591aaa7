package lock_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// folder is a directory as a lock.Folder. Replace counts.
type folder struct {
	dir      string
	replaced *int
}

func (f folder) ReadFile(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(f.dir, name))
}

func (f folder) Replace(name string, fill func(*os.File) error) error {
	*f.replaced++
	file, err := os.Create(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	return errors.Join(fill(file), file.Close())
}

// holding is a folder whose wr.lock has text; "" is none.
func holding(t *testing.T, text string) folder {
	t.Helper()
	f := folder{t.TempDir(), new(int)}
	if text != "" {
		if err := os.WriteFile(filepath.Join(f.dir, lock.Name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

const sample = `# What names stand for, so that everybody has the same. Made by wr: commit it.
# ` + "`wr build --update`" + ` resolves the images anew.
version = 1

[images]
'docker.io/library/alpine:3' = 'sha256:2'
'docker.io/library/debian:12' = 'sha256:1'

[plugins]
[plugins.ruff]
digest = 'sha256:3'
grant = ['read']
`

func TestATableIsReplacedAndTheOthersStay(t *testing.T) {
	root := holding(t, sample)
	file, err := lock.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]string{}
	if err := file.Table("images", &images); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"docker.io/library/debian:12": "sha256:1", "docker.io/library/alpine:3": "sha256:2"}
	if !maps.Equal(images, want) {
		t.Errorf("images are %v, want %v", images, want)
	}
	if err := file.Write(root); err != nil || *root.replaced != 0 {
		t.Errorf("a file that says the same was written %d times, %v", *root.replaced, err)
	}
	file.Set("images", nil)
	file.Set("images", images)
	file.Set("bases", map[string]string{"acme/python linux/amd64": "in-1@sha256:4"})
	if err := file.Write(root); err != nil {
		t.Fatal(err)
	}
	got, err := root.ReadFile(lock.Name)
	if err != nil {
		t.Fatal(err)
	}
	const bases = "[bases]\n'acme/python linux/amd64' = 'in-1@sha256:4'\n\n"
	if wanted := strings.Replace(sample, "[images]", bases+"[images]", 1); string(got) != wanted {
		t.Errorf("got:\n%s\nwant:\n%s", got, wanted)
	}
}

func TestWithoutAFileNothingIsLocked(t *testing.T) {
	root := holding(t, "")
	file, err := lock.Read(root)
	images := map[string]string{}
	if err := errors.Join(err, file.Table("images", &images)); err != nil || len(images) != 0 {
		t.Errorf("got %v, %v", images, err)
	}
}

func TestAFileThatCannotBeReadIsSaid(t *testing.T) {
	for name, tt := range map[string]struct {
		text, code string
		line       int
	}{
		"marks of a merge": {"version = 1\n<<<<<<< ours\n", "lock.invalid", 2},
		"a newer wr":       {"version = 2\n", "lock.version", 0},
		"no version":       {"[images]\n", "lock.version", 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lock.Read(holding(t, tt.text))
			if f := fault.Of(err); f == nil || f.Code != tt.code || f.File != lock.Name || f.Line != tt.line || f.Next == "" {
				t.Errorf("got %+v", f)
			}
		})
	}
	file, err := lock.Read(holding(t, "version = 1\nimages = 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	if f := fault.Of(file.Table("images", &map[string]string{})); f == nil || f.Code != "lock.invalid" {
		t.Errorf("a table that is none: got %+v", f)
	}
}
