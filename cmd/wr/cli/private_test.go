package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestEveryProjectAndCallerHasFoldersOfItsOwnOutsideTheWorkspace(t *testing.T) {
	a := &app{Process: Process{LookupEnv: func(string) (string, bool) { return "/home/cache", true }}}
	seen := map[string]bool{}
	for _, c := range []spec.Container{
		{Labels: map[string]string{"wr.workspace": "/work", "wr.project": "a"}},
		{Labels: map[string]string{"wr.workspace": "/work", "wr.project": "b"}},
		{Labels: map[string]string{"wr.workspace": "/other", "wr.project": "a"}},
		{Labels: map[string]string{"wr.workspace": "/work", "wr.project": "a"}, Caller: spec.Owner{UID: 7}},
	} {
		mounts := []spec.Mount{a.ownMount(c), a.agentMount(c)}
		for _, m := range mounts {
			if seen[m.Source] {
				t.Errorf("%+v shares %s", c, m.Source)
			}
			seen[m.Source] = true
			if local, err := filepath.Rel(c.Labels["wr.workspace"], m.Source); err != nil || filepath.IsLocal(local) {
				t.Errorf("%s lies in the workspace", m.Source)
			}
		}
	}
}

func TestNoOtherUserReachesAPrivateFolder(t *testing.T) {
	projects := filepath.Join(t.TempDir(), "wr", "projects")
	f, err := openPrivate(filepath.Join(projects, "1", "shell"), spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, dir := range []string{projects, filepath.Join(projects, "1"), filepath.Join(projects, "1", "shell")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", dir, info, err)
		}
	}
}

func TestAPrivateFolderThatCannotBeMadeSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]string{"no home": ".cache/wr/projects/1/shell", "a file in the way": filepath.Join(file, "projects/1/shell")} {
		t.Run(name, func(t *testing.T) {
			if _, err := openPrivate(at, spec.Owner{}); err == nil || !fault.HasCode(notKept(at, err), "project.no_folder") {
				t.Errorf("got %v", err)
			}
		})
	}
}
