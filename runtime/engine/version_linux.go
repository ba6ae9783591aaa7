package engine

import "runtime/debug"

// The modules whose versions are the engine's.
const (
	containerdModule = "github.com/containerd/containerd/v2"
	buildkitModule   = "github.com/moby/buildkit"
)

// Versions returns the versions of the embedded containerd and BuildKit.
func Versions() (containerd, buildkit string) {
	return moduleVersion(containerdModule), moduleVersion(buildkitModule)
}

// moduleVersion returns the version of a module in this binary.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == path {
			return m.Version
		}
	}
	return "unknown"
}
