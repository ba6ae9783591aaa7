package testrun

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// ports are those of u's process that this machine's lead to. On the network of
// this machine the process has it already.
func (u Unit) ports() []spec.Port {
	if u.Debug.Port == 0 || u.Container.Network == spec.NetworkHost {
		return nil
	}
	return []spec.Port{{Address: address(u.Debug.Port), Container: u.Debug.Port}}
}

// address is where an editor attaches to a port.
func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// explainPort says how to choose another port than the one that is taken.
func (u Unit) explainPort(err error) error {
	if u.Debug.Port == 0 || !fault.HasCode(err, "port.taken") {
		return err
	}
	f := *fault.Of(err)
	f.Next = "end what listens there, or choose another port: --debugpy=PORT"
	return &f
}

// debuggerWaits says that an editor may attach, and how: who does so for the first
// time has nothing else to go by.
func (u Unit) debuggerWaits() event.Event {
	port, here, there := u.Debug.Port, u.sources(), u.root()
	launch := launchConfig{
		Name: "wr test " + u.id().String(), Type: "debugpy", Request: "attach",
		Connect:      connect{"127.0.0.1", port},
		PathMappings: []pathMapping{{here, there}},
	}
	text, err := json.MarshalIndent(launch, "", "  ")
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return event.Event{
		Type: event.DebuggerWaits, Text: address(port),
		Details: fmt.Sprintf("VS Code, in configurations of .vscode/launch.json:\n%s\nPyCharm, nvim-dap and others: attach by DAP to %s, with %s here being %s there\nNothing limits how long that may take; Ctrl-C ends the run", text, address(port), here, there),
	}
}

// launchConfig is an entry of the configurations in VS Code's launch.json.
type launchConfig struct {
	Name         string        `json:"name"`
	Type         string        `json:"type"`
	Request      string        `json:"request"`
	Connect      connect       `json:"connect"`
	PathMappings []pathMapping `json:"pathMappings"`
}

type connect struct {
	Host string `json:"host"`
	Port int    `json:"port"`
}

type pathMapping struct {
	LocalRoot  string `json:"localRoot"`
	RemoteRoot string `json:"remoteRoot"`
}

// sources is the host path of the workspace.
func (u Unit) sources() string {
	for _, m := range u.Container.Mounts {
		if m.Target == u.root() {
			return m.Source
		}
	}
	return u.root()
}

// debuggerTrouble matches what wr_debug says when there can be no debugger.
var debuggerTrouble = expression(`(?m)wr: debugpy (is missing|cannot listen|has ended): (.+)$`)

// debuggerFault is the fault of a session that was to wait for an editor and could
// not, or nil.
func debuggerFault(end ending) *fault.Error {
	found := debuggerTrouble().FindStringSubmatch(end.log)
	switch {
	case found == nil:
		return nil
	case found[1] == "is missing":
		return &fault.Error{
			Code: "test.debugpy_missing", Message: "debugpy is not in the image: " + found[2],
			Next: "add it to the image, as by RUN pip install debugpy or apt-get install -y python3-debugpy, or use --pdb, which needs nothing",
		}
	case found[1] == "has ended":
		return &fault.Error{
			Code: "test.debugpy_ended", Message: "debugpy has ended before an editor attached: " + found[2],
			Next: "attach once wr says that it waits: debugpy gives up when clients connect and hang up several times",
		}
	default:
		return &fault.Error{
			Code: "test.debugpy_port", Message: "debugpy cannot listen in the container: " + found[2],
			Next: "choose another port: --debugpy=PORT",
		}
	}
}
