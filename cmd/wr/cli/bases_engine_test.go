//go:build linux && engine

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// machine is wr on a machine with an engine of its own.
type machine struct {
	real
	engineDir string
}

// newMachine is one with an empty store, which goes with the test.
func newMachine(t *testing.T) machine {
	t.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "wr-test-")
	if err != nil {
		t.Fatal(err)
	}
	m := machine{realWr(t), dir}
	t.Cleanup(func() {
		if out, err := m.command(t.TempDir(), "engine", "reset", "--yes").CombinedOutput(); err != nil {
			t.Errorf("wr engine reset: %v\n%s", err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return m
}

func (m machine) command(dir string, args ...string) *exec.Cmd {
	cmd := m.real.command(dir, args...)
	if m.engineDir != "" {
		cmd.Env = append(cmd.Env, "WR_ENGINE_DIR="+m.engineDir)
	}
	return cmd
}

// says runs wr, which must succeed, and returns all that it says.
func (m machine) says(dir string, args ...string) string {
	m.t.Helper()
	out, err := m.command(dir, args...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("wr %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// wants fails the test unless text has each part.
func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("does not say %q:\n%s", part, text)
		}
	}
}

// TestMachinesAgreeOnTheBasesTheyMake makes a base on one machine and uses it
// on another one that could not make it: nothing serves the packages there.
func TestMachinesAgreeOnTheBasesTheyMake(t *testing.T) {
	one, two := machine{real: realWr(t)}, newMachine(t)
	images := loopbackRegistry(t)
	dir := t.TempDir()
	// As in examples/acme, whose bases the first machine has.
	write(t, dir, "wr.toml", "[workspace]\nname = \"shared\"\nregistry = \""+images+"\"\n"+
		"[bases.\"acme/tools\"]\nsuite = \"bookworm\"\ninclude = [\"git\", \"jq\"]\n")
	write(t, dir, "web/devops/Dockerfile", "FROM acme/tools\nCOPY x /x\n")
	write(t, dir, "web/x", "one\n")

	wants(t, one.says(dir, "build", "web"), "wr.lock  acme/tools linux/", "done in")
	pushed := one.says(dir, "image", "push", "web")
	wants(t, pushed, "acme/tools  pushed  "+images+"/acme/tools:in-", "web  pushed  "+images+"/web:in-")
	wants(t, one.says(dir, "image", "push", "web"), "acme/tools  there", "web  there")

	other := workspaceCopy(t, dir)
	wants(t, two.says(other, "exec", "web", "--", "cat", "/x"), "pulled", "one")
	if bases := two.says(other, "image", "ls", "--all"); strings.Contains(bases, "acme/tools") {
		t.Errorf("a machine that only uses the image has the base:\n%s", bases)
	}

	write(t, other, "web/x", "two\n")
	wants(t, two.says(other, "build", "web"), "done in")
	wants(t, two.says(other, "image", "ls", "--all"), "docker.io/acme/tools:sha256-")
	wants(t, two.says(other, "image", "push", "web"), "acme/tools  there", "web  pushed")
	write(t, dir, "web/x", "two\n")
	wants(t, one.says(dir, "exec", "web", "--", "cat", "/x"), "pulled", "two")

	// Who has no wr.lock finds the same base by its declaration.
	if err := os.Remove(filepath.Join(other, "wr.lock")); err != nil {
		t.Fatal(err)
	}
	wants(t, two.says(other, "build", "web"), "wr.lock  acme/tools linux/", "up to date")
	locks := []string{filepath.Join(dir, "wr.lock"), filepath.Join(other, "wr.lock")}
	if out, err := exec.Command("cmp", locks...).CombinedOutput(); err != nil {
		t.Errorf("the machines disagree: %s", out)
	}
}

// TestAPinnedImageStaysWhenItsTagMoves pins the tag of a registry.
func TestAPinnedImageStaysWhenItsTagMoves(t *testing.T) {
	m := machine{real: realWr(t)}
	images := loopbackRegistry(t)
	dir := t.TempDir()
	publish := func(text string) {
		maker := t.TempDir()
		write(t, maker, "wr.toml", "[workspace]\nname = \"maker\"\n")
		write(t, maker, "base/devops/Dockerfile", "FROM acme/tools\nRUN echo "+text+" >/from\n")
		m.says(maker, "build", "base")
		told, _, _ := m.run(maker, "build", "base", "--json")
		copyImage(t, told, images+"/base:1")
	}
	publish("first")
	write(t, dir, "wr.toml", "[workspace]\nname = \"pinned\"\n")
	write(t, dir, "web/devops/Dockerfile", "FROM "+images+"/base:1\nCOPY x /x\n")
	write(t, dir, "web/x", "one\n")
	wants(t, m.says(dir, "build", "web"), "wr.lock  "+images+"/base:1 is sha256:", "done in")
	publish("second")
	write(t, dir, "web/x", "two\n")
	wants(t, m.says(dir, "exec", "web", "--", "cat", "/from", "/x"), "first\ntwo\n")
	wants(t, m.says(dir, "build", "web", "--update"), "wr.lock  "+images+"/base:1 is sha256:")
	wants(t, m.says(dir, "exec", "web", "--", "cat", "/from", "/x"), "second\ntwo\n")
}

// TestAPinnedBaseThatIsGoneIsNotReplacedInSilence pins a digest that nothing
// has any more, as when the mirror has gone on since.
func TestAPinnedBaseThatIsGoneIsNotReplacedInSilence(t *testing.T) {
	m := machine{real: realWr(t)}
	dir := t.TempDir()
	write(t, dir, "wr.toml", "[workspace]\nname = \"gone\"\nregistry = \""+loopbackRegistry(t)+"\"\n[bases.\"acme/gone\"]\nsuite = \"bookworm\"\n")
	write(t, dir, "web/devops/Dockerfile", "FROM acme/gone\n")
	t.Cleanup(func() { m.says(dir, "image", "base", "rm", "acme/gone") })
	wants(t, m.says(dir, "build", "web"), "wr.lock  acme/gone linux/")

	lock := filepath.Join(dir, "wr.lock")
	text, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	gone := regexp.MustCompile(`sha256:[0-9a-f]+`).ReplaceAllString(string(text), "sha256:"+strings.Repeat("0", 64))
	write(t, dir, "wr.lock", gone)
	_, errs, code := m.run(dir, "build", "web")
	wants(t, errs, "base.pin_missing", "acme/gone@sha256:000", "made anew: sha256:", "wr build --update")
	if code != 3 {
		t.Errorf("exit %d, want 3", code)
	}
	if now, err := os.ReadFile(lock); err != nil || string(now) != gone {
		t.Errorf("wr.lock was changed (%v):\n%s", err, now)
	}

	wants(t, m.says(dir, "build", "web", "--update"), "wr.lock  acme/gone linux/")
	wants(t, m.says(dir, "image", "push", "web"), "acme/gone  pushed", "web  pushed")
}
