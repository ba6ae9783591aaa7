//go:build linux && engine

package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	capset "github.com/containerd/containerd/v2/pkg/cap"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// device is one that no container has, and that tests which mount files need.
const device = "/dev/loop-control"

// TestARightIsThereWhereItIsNamedAndNowhereElse tries each in a container
// without it, in a fresh one and in one that is kept.
func TestARightIsThereWhereItIsNamedAndNowhereElse(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	const asRoot, asUser = "root", "tester"
	for name, tt := range map[string]struct {
		rights spec.Rights
		user   string
		script string // prints yes where the right is there
	}{
		"a capability": {
			spec.Rights{Capabilities: []string{"CAP_NET_ADMIN"}},
			asRoot,
			"ip link add d0 type dummy 2>/dev/null || ip link set lo mtu 1400 2>/dev/null && echo yes && ip link del d0 2>/dev/null; true",
		},
		"another capability, with the system call it is for": {
			spec.Rights{Capabilities: []string{"CAP_SYS_ADMIN"}},
			asRoot,
			"mkdir -p /tmp/m && mount -t tmpfs none /tmp/m 2>/dev/null && umount /tmp/m && echo yes; true",
		},
		"a device, of the user inside": {
			spec.Rights{Devices: []spec.Device{{Source: device, Target: "/dev/control", Access: "rw"}}},
			asUser,
			"test -c /dev/control && : >>/dev/control && test -O /dev/control && echo yes; true",
		},
		"everything": {
			spec.Rights{Privileged: true},
			asRoot,
			"mkdir -p /tmp/m && mount -t tmpfs none /tmp/m 2>/dev/null && umount /tmp/m && echo 1 >/proc/sys/vm/drop_caches && test -e /dev/kmsg && echo yes; true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, role := range []spec.Role{spec.RoleFresh, spec.RoleDev} {
				c := as(role)
				c.User = tt.user
				if got := f.must(c, sh(tt.script)); got != "" {
					t.Errorf("role %q without the right: %q", role, got)
				}
				c.Rights = tt.rights
				if got := f.must(c, sh(tt.script)); got != "yes\n" {
					t.Errorf("role %q with the right: %q", role, got)
				}
			}
		})
	}
}

func TestADeviceIsUsedAsFarAsWasNamed(t *testing.T) {
	f := start(t)
	c := box()
	c.User = "root"
	c.Rights.Devices = []spec.Device{{Source: device, Target: "/dev/control", Access: "r"}}
	got := f.must(c, sh(": </dev/control && echo read; (: >>/dev/control) 2>/dev/null || echo refused"))
	if got != "read\nrefused\n" {
		t.Errorf("got %q", got)
	}
	c.Rights.Devices = []spec.Device{{Source: "/dev/no-such", Target: "/dev/no-such", Access: "rwm"}}
	if _, _, err := f.output(t.Context(), c, sh("true")); !fault.HasCode(err, "rights.no_device") {
		t.Errorf("a device that is not there: %v", err)
	}
	link := filepath.Join("/dev", "wr-test-"+strconv.Itoa(os.Getpid()))
	if err := os.Symlink(device, link); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(link)
	c.Rights.Devices = []spec.Device{{Source: link, Target: "/dev/control", Access: "r"}}
	if got := f.must(c, sh(": </dev/control && echo read")); got != "read\n" {
		t.Errorf("a device by a link to it: %q", got)
	}
}

func TestACapabilityThatTheEngineLacksIsRefusedByName(t *testing.T) {
	own, err := capset.Current()
	if err != nil {
		t.Fatal(err)
	}
	lacks := slices.DeleteFunc(capset.Known(), func(name string) bool { return slices.Contains(own, name) })
	if len(lacks) == 0 {
		t.Skip("this machine's root has all capabilities")
	}
	f := start(t)
	for _, role := range []spec.Role{spec.RoleFresh, spec.RoleDev} {
		c := as(role)
		c.Rights.Capabilities = lacks[:1]
		if _, _, err := f.output(t.Context(), c, sh("true")); !fault.HasCode(err, "rights.no_capability") {
			t.Errorf("%s for role %q: %v", lacks[0], role, err)
		}
	}
}

func TestAMountInTheHomeDirectoryIsWhereTheUserInsideLives(t *testing.T) {
	f := start(t)
	file := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(file, []byte("machine example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, 4711, 4712); err != nil {
		t.Fatal(err)
	}
	for user, home := range map[string]string{"tester": "/home/tester", "root": "/root"} {
		c := box()
		c.User, c.Caller = user, spec.Owner{UID: 4711, GID: 4712}
		c.Mounts = []spec.Mount{{Source: file, Target: "~/.netrc", ReadOnly: true, Owned: true}}
		got := f.must(c, sh("cat "+home+"/.netrc; (echo x >>~/.netrc) 2>/dev/null || echo refused"))
		if !strings.HasPrefix(got, "machine") || !strings.HasSuffix(got, "refused\n") {
			t.Errorf("%s reads %q", user, got)
		}
	}
}

func TestTheDirectoriesAboveAMountInTheHomeDirectoryBelongToItsUser(t *testing.T) {
	f := start(t)
	c := box()
	c.User = "tester"
	c.Mounts = []spec.Mount{{Source: t.TempDir(), Target: "~/.config/deep/git", ReadOnly: true}}
	got := f.must(c, sh("mkdir ~/.config/other ~/.config/deep/other && echo made; stat -c %U ~ ~/.config ~/.config/deep"))
	if got != "made\ntester\ntester\ntester\n" {
		t.Errorf("got %q", got)
	}
}

func TestAContainerWithRightsIsolatesNoRuns(t *testing.T) {
	f := start(t)
	c := as(spec.RoleTest)
	c.Rights.Capabilities = []string{"CAP_NET_ADMIN"}
	if _, _, err := f.output(t.Context(), c, sh("true")); err == nil {
		t.Error("it was made")
	}
}
