// Package daemon is wr's own API: Serve is the engine process, a Client talks
// to it over a socket.
//
// A connection carries one request, as messages of package wire. Most get one
// reply. A run request is the life of a container: the engine answers with a
// connection to the container's agent, over which the client runs its command
// without the engine's help, and removes the container when the client says so
// or is gone.
//
// Whoever can open the socket is as good as root on this machine.
package daemon

import (
	"encoding/json"
	"fmt"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Protocol is the version of the messages between client and engine. Both
// must speak the same.
const Protocol = 4

// operation is what a request asks for.
type operation string

const (
	opRun    operation = "run"    // Container, Detached, Ports; replies created, then removed
	opRemove operation = "remove" // ID; replies removed
	opDial   operation = "dial"   // ID, Port; replies nothing, with a file
	opList   operation = "list"   // replies containers
	opUsage  operation = "usage"  // replies usage
	opLog    operation = "log"    // ID; replies log, with a file if there is one
	opLookup operation = "lookup" // Ref; replies images, none or one
	opImages operation = "images" // replies images
	opStatus operation = "status" // replies status
	opClean  operation = "clean"  // Cleaning; replies cleaned
	opStop   operation = "stop"   // Force; replies stopping, and closes when the engine has ended
)

// request is the first message of a client.
type request struct {
	Protocol  int             `json:"protocol"`
	Operation operation       `json:"operation"`
	Container *spec.Container `json:"container,omitempty"`
	Detached  bool            `json:"detached,omitempty"` // the container is in use until no command runs in it
	Ports     []spec.Port     `json:"ports,omitempty"`    // with Detached: published until the command that is left has ended
	ID        string          `json:"id,omitempty"`
	Ref       string          `json:"ref,omitempty"`
	Port      int             `json:"port,omitempty"`
	Force     bool            `json:"force,omitempty"`
	Cleaning  *Cleaning       `json:"cleaning,omitempty"`
}

// reply is every message of the engine; one field is set. The field fault has
// the same shape in all versions of the protocol.
type reply struct {
	Fault      *fault.Error  `json:"fault,omitempty"`
	Created    *created      `json:"created,omitempty"`
	Removed    *removed      `json:"removed,omitempty"`
	Images     *[]spec.Image `json:"images,omitempty"`
	Status     *Status       `json:"status,omitempty"`
	Containers *[]Container  `json:"containers,omitempty"`
	Cleaned    *Cleaned      `json:"cleaned,omitempty"`
	Usage      *[]Usage      `json:"usage,omitempty"`
	Log        bool          `json:"log,omitempty"`
	Stopping   bool          `json:"stopping,omitempty"`
}

// created says that a container runs. It comes with one file, a connection to
// the container's agent.
type created struct {
	ID       string             `json:"id"`
	Kept     bool               `json:"kept,omitempty"` // for others, so it is not this client's to remove
	Identity container.Identity `json:"identity"`
	// Before is what to put before the arguments of each process.
	Before []string `json:"before,omitempty"`
	// Env is the whole environment that the image's ENTRYPOINT made; none when
	// there was nothing to run. The variables are any bytes, so base64 in JSON.
	Env [][]byte `json:"env,omitempty"`
}

// end is the last message of a run's client: the container may go.
type end struct {
	Failed bool `json:"failed,omitempty"` // the process did: say what its limits did to it
	Left   int  `json:"left,omitempty"`   // process id, in the container, of the detached command that runs on
}

// removed says that a container has ended: no process of it is left, and the
// engine removes the rest behind the client.
type removed struct {
	OOMKilled   bool `json:"oomKilled,omitempty"`   // the kernel killed a process for memory
	PidsRefused bool `json:"pidsRefused,omitempty"` // a process or thread could not start
	Shared      bool `json:"shared,omitempty"`      // that process may be another client's
	Stopped     bool `json:"stopped,omitempty"`     // because the engine stops
}

// decodeRequest reads a request. The version comes first, since a client of
// another version may mean anything by the rest.
func decodeRequest(data []byte) (request, error) {
	var head struct{ Protocol int }
	if err := json.Unmarshal(data, &head); err != nil {
		return request{}, badRequest(err)
	}
	if head.Protocol != Protocol {
		return request{}, versionSkew(Protocol, head.Protocol)
	}
	var r request
	if err := json.Unmarshal(data, &r); err != nil {
		return request{}, badRequest(err)
	}
	return r, nil
}

func badRequest(err error) error {
	return &fault.Error{
		Code: "engine.bad_request", Class: fault.Bug,
		Message: fmt.Sprintf("the engine cannot read the request: %v", err), Err: err,
	}
}

// versionSkew is an engine that was started by another wr.
func versionSkew(engine, client int) error {
	return &fault.Error{
		Code:    "engine.version_skew",
		Message: fmt.Sprintf("the running engine speaks version %d of the protocol, this wr speaks %d", engine, client),
		Next:    "wr engine down (with the wr that started it); the next command starts a new engine",
	}
}
