//go:build linux && engine

package cli

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/image-spec/identity"

	"github.com/wr-build/wr/host/report/reporttest"
	"github.com/wr-build/wr/runtime/engine"
)

// startedImage is an image that somebody else than wr has started: its files with a
// checkout in them, its environment, and nothing that wr mounts.
type startedImage struct {
	t    *testing.T
	root string
	env  []string
}

// startImage mounts the files of an image of the engine.
func startImage(t *testing.T, ref string) startedImage {
	t.Helper()
	c, err := client.New(engineDirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ctx := context.WithoutCancel(t.Context())
	ctx, done, err := c.WithLease(ctx)
	if err != nil {
		t.Fatal(err)
	}
	image, err := c.GetImage(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.Spec(ctx)
	if err != nil {
		t.Fatal(err)
	}
	root, key := t.TempDir(), "wr-test-started"
	snapshots := c.SnapshotService("overlayfs")
	mounts, err := snapshots.Prepare(ctx, key, identity.ChainID(config.RootFS.DiffIDs).String())
	if err != nil {
		t.Fatal(err)
	}
	if err := mount.All(mounts, root); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, end := range []func() error{
			func() error { return mount.UnmountAll(root, 0) }, func() error { return snapshots.Remove(ctx, key) }, func() error { return done(ctx) },
		} {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	})
	return startedImage{t, root, config.Config.Env}
}

// run runs a script in the image, in a directory of it.
func (s startedImage) run(dir, script string) (string, error) {
	s.t.Helper()
	inside := `mount --make-rprivate / && mount --bind /dev "$1/dev" && exec chroot "$1" sh -c 'cd "$1" && eval "$2"' sh "$2" "$3"`
	cmd := exec.Command("unshare", "-m", "sh", "-c", inside, "sh", s.root, dir, script)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAnImageWithThePluginHasItWhoeverStartsIt is a job of CI whose container is
// the image.
func TestAnImageWithThePluginHasItWhoeverStartsIt(t *testing.T) {
	w := realWr(t)
	dir := t.TempDir()
	const dockerfile = "FROM acme/python\nENV PYTHONPATH=/somewhere\n"
	lay(t, dir, map[string]string{
		"wr.toml":                     "[workspace]\nname = \"acme\"\n",
		"infra/wr.toml":               "[image]\npytest_plugin = true\n[test]\nargs = [\"--strict-markers\"]\n",
		"infra/devops/Dockerfile":     dockerfile,
		"infra/test_mixed.py":         "import pytest\ndef test_here(): pass\n@pytest.mark.container('optimizer')\ndef test_there(): assert 0\n",
		"infra/inner/wr.toml":         "[project]\n[image]\nfrom = \"../../optimizer\"\n",
		"infra/inner/test_inner.py":   "def test_inner(): assert 0\n",
		"optimizer/devops/Dockerfile": dockerfile,
		"optimizer/test_o.py":         "def test_o(): pass\n",
	})
	var built []struct{ Project, Image string }
	out, errs, code := w.run(dir, "build", "infra", "optimizer", "--json")
	if err := json.Unmarshal([]byte(out), &built); err != nil || code != 0 || len(built) != 2 {
		t.Fatalf("build: exit %d, %v\n%s%s", code, err, out, errs)
	}
	images := map[string]string{}
	for _, one := range built {
		images[one.Project] = one.Image
	}
	t.Run("where wr starts it", func(t *testing.T) {
		for _, args := range [][]string{{"test", "infra"}, {"exec", "infra", "--", "python3", "-m", "pytest", "--strict-markers"}} {
			if out, errs, _ := w.run(dir, args...); !strings.Contains(out, "1 passed") || strings.Contains(out, "inner") {
				t.Errorf("%v: %s%s", args, out, errs)
			}
		}
	})
	t.Run("where somebody else does", func(t *testing.T) {
		job := startImage(t, images["infra"])
		checkout := filepath.Join(job.root, "builds/acme")
		if out, err := exec.Command("sh", "-c", `mkdir -p "$2" && cp -a "$1/." "$2" && rm -rf "$2/.wr" && cp "$3" "$2/inner-wr"`, "sh", dir, checkout, w.bin).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := job.run("/builds/acme/infra", "python3 -m pytest --strict-markers "+strings.Join(leftOut("/plain.xml"), " "))
		if err != nil || !strings.Contains(out, "1 passed") || !strings.Contains(out, "wr: 1 not here: they run in the container of optimizer") {
			t.Errorf("pytest: %v\n%s", err, out)
		}
		plain := readPlain(t, filepath.Join(job.root, "plain.xml"), out, "/builds/acme")
		out, err = job.run("/builds/acme/infra", "/builds/acme/inner-wr test")
		if err != nil || !strings.Contains(out, "not here, which is the container of infra: 1 in the container of optimizer") {
			t.Errorf("wr test: %v\n%s", err, out)
		}
		ours := casesOfWr(t, checkout, lastReport(t, checkout))["infra"]
		if diff := reporttest.Diff(plain, ours); diff != "" || len(ours) != 1 {
			t.Errorf("they differ in %d cases:\n%s", len(ours), diff)
		}
	})
	t.Run("and one without has nothing of wr", func(t *testing.T) {
		other := startImage(t, images["optimizer"])
		if _, err := os.Stat(filepath.Join(other.root, ".wr")); err == nil {
			t.Error("there is /.wr")
		}
		if env := strings.Join(other.env, "\n"); strings.Contains(env, "WR_") || strings.Contains(env, "/.wr") {
			t.Errorf("its environment is\n%s", env)
		}
	})
	if out, errs, code := w.run(dir, "build", "infra", "--json"); code != 0 || !strings.Contains(out, `"cached": true`) {
		t.Errorf("unchanged it is built again: exit %d\n%s%s", code, out, errs)
	}
}
