//go:build linux && engine

package cli

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/client"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/runtime/engine"
)

// publishTools moves a tag to an image that has pytest and says which it is.
func publishTools(t *testing.T, m machine, remote, text string) {
	t.Helper()
	maker := t.TempDir()
	write(t, maker, "wr.toml", "[workspace]\nname = \"tools\"\n")
	write(t, maker, "tools/devops/Dockerfile", "FROM acme/python\nENV EDITION="+text+"\n")
	m.says(maker, "build", "tools")
	told, _, _ := m.run(maker, "build", "tools", "--json")
	copyImage(t, told, remote)
}

// forget removes an image from the store of the tests.
func forget(t *testing.T, ref string) {
	t.Helper()
	c, err := client.New(engineDirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ImageService().Delete(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
}

// TestProjectsUseFinishedImagesAndThoseOfOthers has a project on an image of a
// registry, one that builds its own upon it, and one that borrows that.
func TestProjectsUseFinishedImagesAndThoseOfOthers(t *testing.T) {
	m := machine{real: realWr(t)}
	tools := loopbackRegistry(t) + "/tools:1"
	publishTools(t, m, tools, "first")
	const test = "import os\n\ndef test_edition():\n    assert os.environ['EDITION'] == os.environ['WANTED']\n"
	dir := t.TempDir()
	write(t, dir, "wr.toml", "[workspace]\nname = \"finished\"\n")
	write(t, dir, "ready/wr.toml", "[project]\n[image]\nref = \""+tools+"\"\n[env]\nset = { WANTED = \"first\" }\n")
	write(t, dir, "ready/test_it.py", test)
	write(t, dir, "lender/devops/Dockerfile", "FROM "+tools+"\nENV EDITION=lent\n")
	write(t, dir, "lender/wr.toml", "[project]\n[env]\nset = { WANTED = \"lent\" }\n")
	write(t, dir, "lender/test_it.py", test)
	write(t, dir, "borrower/wr.toml", "[project]\n[image]\nfrom = \"../lender\"\n[env]\nset = { WANTED = \"lent\" }\n")
	write(t, dir, "borrower/test_it.py", test)
	before := m.census()

	wants(t, m.says(dir, "build", "-r", "--dry-run"), "build:ready", "build:lender")
	said := m.says(dir, "build", "-r")
	wants(t, said, "ready  build  pulled "+tools, "lender  build  done in")
	if strings.Contains(said, "borrower") {
		t.Errorf("the borrowed image is made twice:\n%s", said)
	}
	wants(t, m.says(dir, "exec", "ready", "--", "sh", "-c", "echo is $EDITION"), "is first")
	wants(t, m.says(dir, "exec", "borrower", "--", "sh", "-c", "echo is $EDITION in $PWD"), "is lent in /app/borrower")

	wants(t, m.says(dir, "test", "-r"), "all passed")
	r := lastReport(t, dir)
	if total, want := r.Total(), (report.Counts{Collected: 3, Passed: 3}); total != want {
		t.Errorf("counts are %+v, want %+v", total, want)
	}
	if got := r.Project("ready").Image; got != tools {
		t.Errorf("the finished image is %s, want %s", got, tools)
	}
	if lender, borrower := r.Project("lender").Image, r.Project("borrower").Image; lender != borrower {
		t.Errorf("lender ran in %s, borrower in %s", lender, borrower)
	}

	// A tag that moves is used as it was until somebody pulls; who lacks it pulls.
	publishTools(t, m, tools, "second")
	wants(t, m.says(dir, "exec", "ready", "--", "sh", "-c", "echo is $EDITION"), "is first")
	wants(t, m.says(dir, "image", "pull", "ready"), "ready  pulled  "+tools)
	wants(t, m.says(dir, "exec", "ready", "--", "sh", "-c", "echo is $EDITION"), "is second")
	forget(t, tools)
	wants(t, m.says(dir, "exec", "ready", "--", "sh", "-c", "echo is $EDITION"), "is second", "pulled")
	forget(t, tools)
	m.leavesNothing(before)
}
