package container

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// grant adds the devices of r. Capabilities are with the others, in setProcess.
func grant(ctx context.Context, s *specs.Spec, r spec.Rights, who Identity) error {
	if r.Privileged {
		return oci.Compose(oci.WithHostDevices, oci.WithAllDevicesAllowed)(ctx, nil, nil, s)
	}
	for _, d := range r.Devices {
		before := len(s.Linux.Devices)
		if err := oci.WithDevices(d.Source, d.Target, d.Access)(ctx, nil, nil, s); err != nil {
			return noDevice(d.Source, err)
		}
		own(s.Linux.Devices[before:], who)
	}
	return nil
}

// own gives devices to the user that processes run as. On the machine they
// belong to root or to a group that the container does not know.
func own(devices []specs.LinuxDevice, who Identity) {
	uid, gid := uint32(who.UID), uint32(who.GID)
	for i := range devices {
		devices[i].UID, devices[i].GID = &uid, &gid
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
