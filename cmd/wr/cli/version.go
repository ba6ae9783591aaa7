package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/wr-build/wr/runtime/helper"
)

// buildVersion is set by the linker.
var buildVersion = ""

// Version is wr's own, as `git describe` said when it was built.
func Version() string {
	if buildVersion != "" {
		return buildVersion
	}
	return "devel"
}

// versionCmd is `wr version`.
type versionCmd struct{}

// builtIn are the modules whose version people ask for.
func builtIn() map[string]string {
	found := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	names := map[string]string{
		"github.com/containerd/containerd/v2": "containerd",
		"github.com/moby/buildkit":            "buildkit",
	}
	for _, module := range info.Deps {
		if name, asked := names[module.Path]; asked {
			found[name] = module.Version
		}
	}
	return found
}

// Read prints versions.
func (versionCmd) Read(_ context.Context, a *app) error {
	versions := builtIn()
	versions["wr"] = Version()
	versions["platform"] = runtime.GOOS + "/" + runtime.GOARCH
	versions["helpers"] = carried()
	if a.JSON {
		return a.printJSON(versions)
	}
	for _, name := range []string{"wr", "containerd", "buildkit", "go", "platform", "helpers"} {
		fmt.Fprintf(a.Out, "%-11s %s\n", name, versions[name])
	}
	return nil
}

// carried says which helpers are inside this build.
func carried() string {
	names := helper.Carried()
	if len(names) == 0 {
		return "none inside this build, those on PATH are used; make build puts them in"
	}
	return strings.Join(names, ", ") + " inside"
}
