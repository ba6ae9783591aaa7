package plan

import (
	"maps"
	"path"
	"slices"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// Container returns the container of project p from image: the workspace at
// /app, the import roots of design section 4, the project's environment with
// those variables of o.HostEnv that the project allows.
func Container(ws *workspace.Workspace, p workspace.Project, image string, network spec.Network, o Options) spec.Container {
	limits := o.Limits.Over(p.Config.Limits)
	return spec.Container{
		Image:      image,
		Hostname:   p.Hostname(),
		Mounts:     []spec.Mount{{Source: ws.Root, Target: spec.Workspace, Owned: true}},
		Env:        environment(p, o.HostEnv),
		User:       p.Config.Image.User,
		Entrypoint: p.Config.Image.Entrypoint,
		Network:    network,
		Caller:     o.Caller,
		Labels:     map[string]string{"wr.project": p.Path, "wr.workspace": ws.Root},
		CPUs:       limits.CPUs, Memory: int64(limits.Memory), Pids: limits.Pids,
	}
}

// InContainer is the container path of the project's directory.
func InContainer(p workspace.Project) string { return path.Join(spec.Workspace, p.Path) }

// environment is what wr, the project and the host's allowed variables say,
// the project's own settings last.
func environment(p workspace.Project, hostEnv map[string]string) []string {
	env := map[string]string{
		"PYTHONPATH":              pythonPath(p),
		"PYTHONDONTWRITEBYTECODE": "1", // bytecode never goes to the source tree
		"WR_PROJECT":              p.Path,
	}
	for _, name := range p.Config.Env.Allow {
		if value, ok := hostEnv[name]; ok {
			env[name] = value
		}
	}
	maps.Copy(env, p.Config.Env.Set)
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// pythonPath lists the import roots: the workspace, then the project.
func pythonPath(p workspace.Project) string {
	if p.Path == "." {
		return spec.Workspace
	}
	return spec.Workspace + ":" + InContainer(p)
}
