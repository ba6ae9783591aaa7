//go:build linux && engine

package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

// privateOf is the host path of a private folder of the project in dir, for
// root, who runs these tests.
func privateOf(dir, project, name string) string {
	a := &app{Process: Process{LookupEnv: os.LookupEnv}}
	return a.privatePath(spec.Container{Labels: map[string]string{"wr.workspace": dir, "wr.project": project}}, name)
}

// noPasswords fails where what somebody typed elsewhere can be found.
const noPasswords = `import os
def test_no_passwords():
    found = [os.path.join(at, n) for top in ("/app/.wr", "/.wr") for at, _, names in os.walk(top) for n in names if "history" in n]
    assert found == []
`

// TestNoOtherProjectSeesTheHistoryOfAShell looks for it in everything that runs
// with the same workspace.
func TestNoOtherProjectSeesTheHistoryOfAShell(t *testing.T) {
	w, dir := lived(t)
	if err := os.WriteFile(filepath.Join(dir, "apps/web/test_history.py"), []byte(noPasswords), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := w.run(dir, "exec", "infra", "--", "sh", "-c", "echo hunter2 >>/.wr/shell/bash_history"); code != 0 {
		t.Fatalf("exit %d\n%s", code, errs)
	}
	if text, err := os.ReadFile(filepath.Join(privateOf(dir, "infra", shellFolder), "bash_history")); string(text) != "hunter2\n" {
		t.Errorf("its own history is %q, %v", text, err)
	}
	for _, fresh := range [][]string{nil, {"--fresh"}} {
		args := append(append([]string{"exec"}, fresh...), "apps/web", "--", "sh", "-c", "grep -rl hunter2 /app /.wr 2>/dev/null; true")
		if got, errs, code := w.run(dir, args...); got != "" || code != 0 {
			t.Errorf("wr %q found %s, exit %d\n%s", args, got, code, errs)
		}
		args = append(append([]string{"test"}, fresh...), "apps/web/test_history.py")
		if got, errs, code := w.run(dir, args...); code != 0 {
			t.Errorf("wr %q: exit %d\n%s%s", args, code, got, errs)
		}
	}
}
