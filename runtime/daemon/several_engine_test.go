//go:build linux && engine

package daemon

import (
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

// TestContainersOfAProjectInSeveralImagesAreKeptSideBySide changes between two
// images of one project, as its tests do.
func TestContainersOfAProjectInSeveralImagesAreKeptSideBySide(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	own, lent := as(spec.RoleTest), as(spec.RoleTest)
	own.Labels = map[string]string{"wr.project": "infra"}
	lent.Labels, lent.Env = map[string]string{"wr.project": "infra", "wr.image": "e2e"}, []string{"A=1"}
	f.must(own, sh("true"))
	first := f.one()
	f.must(lent, sh("true"))
	f.must(own, sh("true"))
	var images, ids []string
	for _, c := range f.kept() {
		if c.Project != "infra" {
			t.Errorf("one is said to be of %q", c.Project)
		}
		images, ids = append(images, c.Container), append(ids, c.ID)
	}
	slices.Sort(images)
	if !slices.Equal(images, []string{"", "e2e"}) || !slices.Contains(ids, first) {
		t.Errorf("kept are those of the images %q, with the ids %q; the first was %s", images, ids, first)
	}
}
