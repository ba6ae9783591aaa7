package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/inputs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// counting is a store that counts how often it is asked for each image.
type counting struct {
	there map[string]bool
	asked map[string]int
}

func (c counting) Lookup(_ context.Context, ref string) (spec.Image, bool, error) {
	c.asked[ref]++
	made := map[string]string{image.LabelTag: image.Base{}.Tag()}
	return spec.Image{Ref: ref, Digest: "sha256:" + ref, Labels: made}, c.there[ref], nil
}

func TestABaseIsLookedUpOnceItIsThere(t *testing.T) {
	const there, missing = "docker.io/acme/there:latest", "docker.io/acme/missing:latest"
	store := counting{there: map[string]bool{there: true}, asked: map[string]int{}}
	root := t.TempDir()
	one, two := project(t, root, "one"), project(t, root, "two")
	ws := &workspace.Workspace{Config: &config.File{Bases: map[string]config.Base{"acme/there": {}, "acme/missing": {}, "acme/unused": {}}}}
	from := readSources(store, ws, []workspace.Project{one, two}, nil)

	for ref := range from.needed() {
		if digest, err := from.stored(t.Context(), ref); err != nil || (digest != "") != (ref == there) {
			t.Errorf("the digest of %s is %q, %v", ref, digest, err)
		}
	}
	store.there[missing] = true // as settleBases would have it
	if err := os.Remove(filepath.Join(root, "one", "Dockerfile")); err != nil {
		t.Fatal(err) // whoever reads it again finds out
	}
	index := inputs.OpenIndex(filepath.Join(root, "index"))
	for _, p := range []workspace.Project{one, two} {
		if key, err := from.key(t.Context(), p, nil, index); err != nil || key == "" {
			t.Errorf("key of %s = %q, %v", p.Path, key, err)
		}
	}
	if got := store.asked[there]; got != 1 {
		t.Errorf("a base that is there was looked up %d times, want 1", got)
	}
	if got := store.asked[missing]; got != 2 {
		t.Errorf("a base that was made in between was looked up %d times, want 2", got)
	}
}

// project makes a project on two bases below root.
func project(t *testing.T, root, name string) workspace.Project {
	t.Helper()
	dir := filepath.Join(root, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "FROM acme/there AS tools\nFROM acme/missing\nCOPY --from=tools /etc/hostname /\n"
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return workspace.Project{Path: name, Dir: dir, Dockerfile: "Dockerfile", Config: config.Default()}
}
