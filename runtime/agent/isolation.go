package agent

import (
	"os"
	"path"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// The arguments with which wr-agent runs itself in a container for tests.
const (
	EnterIsolation = "isolated" // to serve an isolated command in namespaces of its own
	RunConfined    = "confined" // to become a command outside of an isolation, without the agent's own rights
)

// Isolation goes ahead of a Request, from the engine: its command gets
// namespaces of its own for processes, mounts and System V objects. It sees
// the container's files as they are, and what it writes to them is discarded at
// its end, in /tmp, /run and /dev/shm too. /dev is its own. Directories mounted
// into the container are the same as ever. It comes with a file for each of Mounts,
// a detached mount (see open_tree(2)).
type Isolation struct {
	Version int    `json:"version"`
	Isolate bool   `json:"isolate"`           // true: tells it from a Request
	Network bool   `json:"network,omitempty"` // also a network of its own, with nothing but a loopback
	Mounts  []Text `json:"mounts,omitempty"`  // container paths to mount the files on
}

// check says what is wrong with an isolation that came with some files, or nil.
func (i Isolation) check(files int) *fault.Error {
	if len(i.Mounts) != files {
		return badRequest("an isolation with %d mounts came with %d files", len(i.Mounts), files)
	}
	for _, target := range plain(i.Mounts) {
		if !path.IsAbs(target) || path.Clean(target) != target || target == "/" || strings.Contains(target, "\x00") {
			return badRequest("nothing can be mounted on %q", target)
		}
	}
	return nil
}

// Isolate asks for an isolated command. The next message on conn is its
// Request; what goes wrong is the answer to that.
func Isolate(conn *wire.Conn, i Isolation, mounts []*os.File) error {
	i.Version, i.Isolate = Version, true
	return conn.Send(i, mounts...)
}
