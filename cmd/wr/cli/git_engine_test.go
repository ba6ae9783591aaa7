//go:build linux && engine

package cli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGitTrustsTheWorkspaceWhoeverOwnsIt looks at repositories of another user
// than the one of the container, who is never their owner inside.
func TestGitTrustsTheWorkspaceWhoeverOwnsIt(t *testing.T) {
	w := realWr(t)
	dir := workspaceCopy(t, "../../../examples/acme")
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "safe.directory=*", "-c", "user.name=a", "-c", "user.email=a@b", "-C", dir}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	for _, repository := range []string{".", "helpers"} {
		git("-C", repository, "init", "-q")
		git("-C", repository, "commit", "-q", "--allow-empty", "-m", "the commit of "+repository)
	}
	if out, err := exec.Command("chown", "-R", "4321:4321", filepath.Join(dir, "helpers"), filepath.Join(dir, ".git")).CombinedOutput(); err != nil {
		t.Fatalf("chown: %v\n%s", err, out)
	}
	for _, repository := range []string{".", "helpers"} {
		out, errs, code := w.run(dir, "exec", "infra", "--", "git", "-C", "/app/"+repository, "log", "--format=%s")
		if out != "the commit of "+repository+"\n" || code != 0 {
			t.Errorf("%s: exit %d, %q, %s", repository, code, out, errs)
		}
	}
	_, errs, code := w.run(dir, "exec", "infra", "--", "env", "-u", "GIT_CONFIG_COUNT", "git", "-C", "/app/helpers", "log")
	if code == 0 || !strings.Contains(errs, "dubious ownership") {
		t.Errorf("git would trust it anyway, so this test shows nothing: exit %d, %s", code, errs)
	}
}
