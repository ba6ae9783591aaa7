package cli

import (
	"fmt"
	"maps"
	"net"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Ports are the flag -p.
type Ports struct {
	Publish []string `short:"p" sep:"none" placeholder:"[ADDRESS:][PORT:]PORT" help:"Make a port of the container's loopback reachable at this machine's; PORT is the same on both sides, HOST:CONTAINER are two."`
}

// ports reads the flag. Without an address it is this machine's loopback.
func (p Ports) ports() ([]spec.Port, error) {
	var all []spec.Port
	for _, text := range p.Publish {
		port, ok := config.ParsePort(text)
		if !ok {
			return nil, &fault.Error{
				Code: "exec.bad_port", Class: fault.Usage, Message: fmt.Sprintf("-p %s is no port", text), Next: "-p 8080, -p 8080:80 or -p 0.0.0.0:8080:80",
			}
		}
		all = append(all, spec.Port(port))
	}
	return all, nil
}

// withOwnPorts adds the ports that a person publishes of p to those that were
// typed. Why one that is taken is left out: the next command in another terminal
// must not fail for the first one's.
func (a *app) withOwnPorts(typed []spec.Port, p workspace.Project, mine config.Personal) []spec.Port {
	all := slices.Clone(typed)
	for _, name := range slices.Sorted(maps.Keys(mine.Ports)) {
		for _, port := range mine.Ports[name] {
			asked := slices.ContainsFunc(all, func(one spec.Port) bool { return one.Container == port.Container })
			if asked || !calls(name, p) {
				continue
			}
			if problem := taken(port); problem != nil {
				fmt.Fprint(a.Err, a.style(a.Err).Warning(problem))
				continue
			}
			all = append(all, spec.Port(port))
		}
	}
	return all
}

// calls reports whether name is the path or the name of p.
func calls(name string, p workspace.Project) bool {
	return name == p.Path || p.Config != nil && p.Config.Project != nil && p.Config.Project.Name == name
}

// taken says that nobody else can listen on a port of this machine, or nil.
func taken(port config.Port) *fault.Error {
	l, err := net.Listen("tcp", port.Address) //nolint:noctx // it does not wait
	if err == nil {
		_ = l.Close()
		return nil
	}
	return &fault.Error{
		Code: "port.taken", Message: fmt.Sprintf("port %d of the container is not published at %s, as your own settings want it: %v", port.Container, port.Address, err),
		Next: "wr config --origin says where that is set",
	}
}

// checkPorts refuses ports of what the workspace does not have, in
// the file that is for this workspace alone.
func checkPorts(ws *workspace.Workspace, mine config.Personal) error {
	for _, name := range slices.Sorted(maps.Keys(mine.Ports)) {
		at := slices.IndexFunc(mine.Settings, func(s config.Setting) bool { return s.Key == config.Key("ports", name) })
		known := slices.ContainsFunc(ws.Containers(), func(p workspace.Project) bool { return calls(name, p) })
		if known || at < 0 || mine.Settings[at].File != config.LocalName {
			continue
		}
		return &fault.Error{
			Code: "config.bad_value", Class: fault.Usage, File: config.LocalName, Line: mine.Settings[at].Line,
			Message: fmt.Sprintf("[ports] %s: there is no project of that path or name, and no image", name), Hint: fault.Closest(name, paths(ws.Containers())),
		}
	}
	return nil
}
