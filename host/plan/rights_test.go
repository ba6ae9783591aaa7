package plan

import (
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

func TestTestsHaveNothingOfAPersonAndFreshContainersForRights(t *testing.T) {
	g := Grant{
		Mounts: []spec.Mount{{Source: "/srv/data", Target: "/data"}},
		Own:    []spec.Mount{{Source: "/home/me/.netrc", Target: "~/.netrc"}},
	}
	c := g.In(spec.Container{Role: spec.RoleTest}, false)
	if len(c.Mounts) != 1 || c.Role != spec.RoleTest {
		t.Errorf("tests get %+v in a container of role %q", c.Mounts, c.Role)
	}
	if c = g.In(spec.Container{Role: spec.RoleDev}, true); len(c.Mounts) != 2 || c.Role != spec.RoleDev {
		t.Errorf("a command gets %+v in a container of role %q", c.Mounts, c.Role)
	}
	g.Rights.Capabilities = []string{"CAP_NET_ADMIN"}
	if c = g.In(spec.Container{Role: spec.RoleTest}, false); c.Role != spec.RoleFresh {
		t.Errorf("tests with a capability run in a container of role %q", c.Role)
	}
}
