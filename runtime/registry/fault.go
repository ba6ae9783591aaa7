package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/distribution/reference"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// fault says why ref could not be copied; nil when err is. When ctx ended, it
// is context.Cause.
func (r *Registry) fault(ctx context.Context, verb, ref string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	if full := fault.Disk(err, ""); full != nil {
		return full
	}
	host := hostOf(ref)
	f := &fault.Error{
		Code: "registry.failed", Message: fmt.Sprintf("cannot %s %s: %v", verb, ref, err), Err: err,
		Next: "try again; if it stays so, ask whoever runs " + host,
	}
	switch {
	case unreachable(err):
		f.Code, f.Next = "registry.unreachable", "check the network and [workspace] registry"
	case denied(err) && r.config.DockerConfig == "":
		f.Code, f.Next = "registry.denied", "set HOME or DOCKER_CONFIG, and log in: docker login "+host
	case denied(err):
		f.Code, f.Next = "registry.denied", fmt.Sprintf("docker login %s, or mend %s/config.json", host, r.config.DockerConfig)
	}
	return f
}

// denied reports whether the registry did not accept who asked.
func denied(err error) bool {
	code := status(err)
	return code == http.StatusUnauthorized || code == http.StatusForbidden || errors.Is(err, docker.ErrInvalidAuthorization) ||
		errors.Is(err, errCredentials)
}

// hostOf is the registry that ref names.
func hostOf(ref string) string {
	name, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ref
	}
	return reference.Domain(name)
}
