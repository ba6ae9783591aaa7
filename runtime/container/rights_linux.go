package container

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	capset "github.com/containerd/containerd/v2/pkg/cap"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// grant adds the devices of r. Capabilities are with the others, in setProcess;
// those that the engine has not itself are refused here.
func grant(ctx context.Context, s *specs.Spec, r spec.Rights, who Identity) error {
	own, err := capset.Current()
	if err != nil {
		return fmt.Errorf("read the capabilities of the engine: %w", err)
	}
	for _, name := range r.Capabilities {
		if !slices.Contains(own, name) {
			return noCapability(name)
		}
	}
	if r.Privileged {
		return oci.Compose(oci.WithHostDevices, oci.WithAllDevicesAllowed)(ctx, nil, nil, s)
	}
	for _, d := range r.Devices {
		before := len(s.Linux.Devices)
		node, err := filepath.EvalSymlinks(d.Source) // as those below /dev/serial/by-id
		if err != nil {
			return noDevice(d.Source, err)
		}
		if err := oci.WithDevices(node, d.Target, d.Access)(ctx, nil, nil, s); err != nil {
			return noDevice(d.Source, err)
		}
		if len(s.Linux.Devices) == before {
			return noDevice(d.Source, errors.New("there is none below it"))
		}
		give(s.Linux.Devices[before:], who)
	}
	return nil
}

// give gives devices to the user that processes run as. On the machine they
// belong to root or to a group that the container does not know.
func give(devices []specs.LinuxDevice, who Identity) {
	uid, gid := uint32(who.UID), uint32(who.GID)
	for i := range devices {
		devices[i].UID, devices[i].GID = &uid, &gid
	}
}

func noCapability(name string) error {
	return &fault.Error{
		Code: "rights.no_capability", Message: fmt.Sprintf("nothing here can have %s: wr's engine does not have it itself", name),
		Next: "run the engine as root outside of a container, or take it out of [rights] capabilities in wr.toml",
	}
}

func noDevice(path string, err error) error {
	return &fault.Error{
		Code: "rights.no_device", Message: fmt.Sprintf("the device %s cannot be used: %v", path, err),
		Next: "load the kernel module that makes it, or take it out of [rights] devices in wr.toml", Err: err,
	}
}

// union joins two lists; nothing is in it twice.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
