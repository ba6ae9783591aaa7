package plan

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// Container returns the container of project p from image: the workspace at
// /app, the import roots of design section 4, the project's environment with
// those variables of o.HostEnv that the project allows.
func Container(ws *workspace.Workspace, p workspace.Project, image string, network spec.Network, o Options) spec.Container {
	limits := o.LimitsOf(p)
	return spec.Container{
		Image:      image,
		Hostname:   p.Hostname(),
		Mounts:     append([]spec.Mount{{Source: ws.Root, Target: o.in("."), Owned: true}}, o.Mounts...),
		Env:        environment(p, o),
		User:       p.Config.Image.User,
		Entrypoint: p.Config.Image.Entrypoint,
		Network:    network,
		Caller:     o.Caller,
		Labels:     map[string]string{"wr.project": p.Path, "wr.workspace": ws.Root},
		CPUs:       limits.CPUs, Memory: int64(limits.Memory), Pids: limits.Pids,
	}
}

// InContainer is the container path of the project's directory.
func InContainer(p workspace.Project) string { return Options{}.in(p.Folder()) }

// in is the container path of a workspace path.
func (o Options) in(file string) string { return path.Join(cmp.Or(o.Root, spec.Workspace), file) }

// environment is what wr, the project and the host's allowed variables say,
// the project's own settings last.
func environment(p workspace.Project, o Options) []string {
	env := map[string]string{
		"PYTHONPATH": o.pythonPath(p),
		// Git trusts the workspace and sub-repos in it whoever owns them: whoever
		// runs wr there does so already.
		"GIT_CONFIG_COUNT":        "1",
		"GIT_CONFIG_KEY_0":        "safe.directory",
		"GIT_CONFIG_VALUE_0":      "*",
		"PYTHONDONTWRITEBYTECODE": "1", // bytecode never goes to the source tree
		"WR_PROJECT":              p.Path,
	}
	for _, name := range slices.Concat(o.Allow, p.Config.Env.Allow) {
		if value, ok := o.HostEnv[name]; ok {
			env[name] = value
		}
	}
	maps.Copy(env, p.Config.Env.Set)
	return variables(env)
}

// taken are the names of those variables of environment that have the caller's
// own values.
func taken(p workspace.Project, o Options) []string {
	var names []string
	for _, name := range slices.Concat(o.Allow, p.Config.Env.Allow) {
		_, given := o.HostEnv[name]
		if _, set := p.Config.Env.Set[name]; given && !set {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variables are NAME=VALUE, by name.
func variables(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// ContainerPaths are the container paths of workspace paths; nil stays nil.
func ContainerPaths(files []string) []string { return Options{}.all(files) }

// all are the container paths of workspace paths; nil stays nil.
func (o Options) all(files []string) []string {
	if files == nil {
		return nil
	}
	all := make([]string, len(files))
	for i, file := range files {
		all[i] = o.in(file)
	}
	return all
}

// pythonPath lists the import roots: the workspace, then the projects.
func (o Options) pythonPath(projects ...workspace.Project) string {
	roots := []string{o.in(".")}
	for _, p := range projects {
		if dir := o.in(p.Folder()); !slices.Contains(roots, dir) {
			roots = append(roots, dir)
		}
	}
	return strings.Join(roots, ":")
}
