package plan

import (
	"reflect"
	"testing"

	"github.com/wr-build/wr/host/event"
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
	if got := g.Tests(); len(got) != 1 || got[0].Kind != "mounts" || got[0].Names[0] != "/srv/data:/data" {
		t.Errorf("of their rights is recorded %+v", got)
	}
	g.Rights.Capabilities = []string{"CAP_NET_ADMIN"}
	if c = g.In(spec.Container{Role: spec.RoleTest}, false); c.Role != spec.RoleFresh {
		t.Errorf("tests with a capability run in a container of role %q", c.Role)
	}
}

func TestWhatTestsMayDoIsRecordedAsItIsWrittenInRights(t *testing.T) {
	g := Grant{Rights: spec.Rights{
		Capabilities: []string{"CAP_NET_ADMIN"}, Devices: []spec.Device{{Source: "/dev/fuse", Target: "/dev/fuse", Access: "rwm"}},
	}}
	want := []event.Right{{Kind: "capabilities", Names: []string{"CAP_NET_ADMIN"}}, {Kind: "devices", Names: []string{"/dev/fuse"}}}
	if got := g.Tests(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Grant{Rights: spec.Rights{Privileged: true}}).Tests(); !reflect.DeepEqual(got, []event.Right{{Kind: "privileged"}}) {
		t.Errorf("privileged is recorded as %+v", got)
	}
	if got := (Grant{}).Tests(); len(got) > 0 {
		t.Errorf("nothing is recorded as %+v", got)
	}
}
