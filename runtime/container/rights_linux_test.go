package container

import (
	"os"
	"slices"
	"testing"

	capset "github.com/containerd/containerd/v2/pkg/cap"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestARightThatCannotBeGivenIsRefusedByName(t *testing.T) {
	ctx := namespaces.WithNamespace(t.Context(), "wr")
	empty := []spec.Device{{Source: t.TempDir(), Target: "/dev/x", Access: "r"}}
	for want, rights := range map[string]spec.Rights{
		"rights.no_capability": {Capabilities: []string{"CAP_OF_A_KERNEL_TO_COME"}},
		"rights.no_device":     {Devices: empty},
	} {
		made := &Container{ID: "id"}
		_, err := New(Config{}).ociSpec(ctx, made, spec.Container{Rights: rights}, &Image{}, nil)
		if !fault.HasCode(err, want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestCapabilitiesAreAddedToTheUsualOnesAndSoAreTheirSystemCalls(t *testing.T) {
	own, err := capset.Current()
	if err != nil || !slices.Contains(own, "CAP_SYS_ADMIN") {
		t.Skipf("only for root: %v", err)
	}
	ctx := namespaces.WithNamespace(t.Context(), "wr")
	for _, rights := range []spec.Rights{{}, {Capabilities: []string{"CAP_SYS_ADMIN"}}} {
		s, err := New(Config{}).ociSpec(ctx, &Container{ID: "id"}, spec.Container{Rights: rights}, &Image{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		mounts := false
		for _, rule := range s.Linux.Seccomp.Syscalls {
			mounts = mounts || slices.Contains(rule.Names, "mount")
		}
		if named := !rights.None(); slices.Contains(s.Process.Capabilities.Bounding, "CAP_SYS_ADMIN") != named || mounts != named {
			t.Errorf("%+v: capabilities %v, mount allowed: %v", rights, s.Process.Capabilities.Bounding, mounts)
		}
		if !s.Process.NoNewPrivileges || len(s.Linux.MaskedPaths) == 0 {
			t.Errorf("%+v takes more than was named", rights)
		}
	}
}

func TestADeviceIsFoundByALinkToIt(t *testing.T) {
	link := t.TempDir() + "/by-id"
	if err := os.Symlink("/dev/null", link); err != nil {
		t.Fatal(err)
	}
	ctx := namespaces.WithNamespace(t.Context(), "wr")
	c := spec.Container{Rights: spec.Rights{Devices: []spec.Device{{Source: link, Target: "/dev/serial", Access: "rw"}}}}
	s, err := New(Config{}).ociSpec(ctx, &Container{ID: "id", Identity: Identity{UID: 7, GID: 8}}, c, &Image{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := s.Linux.Devices[len(s.Linux.Devices)-1]; d.Path != "/dev/serial" || d.Major != 1 || d.Minor != 3 || *d.UID != 7 || *d.GID != 8 {
		t.Errorf("got %+v", d)
	}
}
