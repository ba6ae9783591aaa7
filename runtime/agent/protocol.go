// Package agent is the resident agent, the first process of every container,
// and the client that runs commands through it.
//
// One connection is one command. The client sends a Request, with its own
// stdin, stdout and stderr as files unless the command gets a terminal; the
// engine may send an Isolation ahead of it, or a Query instead. The
// agent answers with Reply{Started}, which carries the terminal's master, and
// later Reply{Exit}; or with Reply{Error}. In between the client may send any
// number of Controls. A connection that closes ends its command.
//
// The server half takes over its process and works on linux only.
package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Version is the version of the protocol. An agent serves exactly one.
const Version = 3

// The codes of the faults by which a command does not come to life. The
// command line turns NotFound into 127 and NotExecutable into 126.
const (
	NotFound      = "exec.not_found"
	NotExecutable = "exec.not_executable"
	NoDir         = "exec.no_dir"
	StartFailed   = "exec.failed"        // the kernel refused: no rights, limits
	BadRequest    = "agent.bad_request"  // the client is wrong
	VersionSkew   = "agent.version_skew" // client and agent are of different versions
	Denied        = "agent.denied"       // the client is inside the container
	Gone          = "agent.gone"         // the agent ended before the command did
	PortClosed    = "port.closed"        // nobody listens in the container
)

// Text is a string of any bytes but NUL. JSON strings hold only Unicode, and
// arguments, variables and paths need not be: it travels as base64.
type Text string

// MarshalJSON writes t as base64.
func (t Text) MarshalJSON() ([]byte, error) { return json.Marshal([]byte(t)) }

// UnmarshalJSON reads base64.
func (t *Text) UnmarshalJSON(data []byte) error {
	var b []byte
	err := json.Unmarshal(data, &b)
	*t = Text(b)
	return err
}

// Request asks for a command. It comes with three files, stdin, stdout and
// stderr, or with none when Terminal is set.
type Request struct {
	Version  int       `json:"version"`
	Args     []Text    `json:"args"`
	Env      []Text    `json:"env,omitempty"`      // KEY=VALUE, over the agent's own
	Whole    bool      `json:"whole,omitempty"`    // Env is all there is, the agent's own does not count
	Leave    bool      `json:"leave,omitempty"`    // neither its end nor that of the connection ends what it started
	Detached bool      `json:"detached,omitempty"` // the end of the connection does not end it
	Dir      Text      `json:"dir"`                // absolute
	UID      int       `json:"uid"`
	GID      int       `json:"gid"`
	Groups   []int     `json:"groups,omitempty"` // supplementary
	Terminal bool      `json:"terminal,omitempty"`
	Size     spec.Size `json:"size,omitzero"`
}

// Started says that the command runs. With a terminal it comes with one file,
// the terminal's master.
type Started struct {
	PID int `json:"pid"` // in the container
}

// Control reaches a running command. Signals go to the foreground process
// group of the terminal, or without one to the command's process group.
type Control struct {
	Signal int        `json:"signal,omitempty"`
	Size   *spec.Size `json:"size,omitempty"`
}

// Query asks which commands run. The answer is Reply{Running}.
type Query struct {
	Version int  `json:"version"`
	Query   bool `json:"query"`          // true: tells it from a Request
	Idle    bool `json:"idle"`           // answer only once none runs any more
	PID     int  `json:"pid"`            // with Idle: of that command alone; 0 = of all
	Left    bool `json:"left,omitempty"` // instead: wait also for those of Request.Leave, and count what they left
}

// Dial asks for a connection to a port of the container's own loopback. The
// answer is an empty Reply with one file, the connected socket.
type Dial struct {
	Version int `json:"version"`
	Dial    int `json:"dial"` // TCP port; not 0: tells it from a Request
}

// Running are the commands that run, in the order of their start.
type Running struct {
	Commands []Line `json:"commands"`
	Left     int    `json:"left,omitempty"` // processes in the container besides the agent, if asked for
}

// Line is one command of Running.
type Line struct {
	PID      int       `json:"pid"` // in the container
	Args     []Text    `json:"args"`
	Started  time.Time `json:"started"`
	Terminal bool      `json:"terminal,omitempty"`
}

// String is the command as a person would type it, or nearly.
func (l Line) String() string {
	return strings.ToValidUTF8(strings.Join(plain(l.Args), " "), "\uFFFD")
}

// Reply is what the agent says; exactly one field is set.
type Reply struct {
	Running *Running     `json:"running,omitempty"`
	Started *Started     `json:"started,omitempty"`
	Exit    *spec.Exit   `json:"exit,omitempty"`
	Error   *fault.Error `json:"error,omitempty"`
}

// opening is the first message of a connection, decoded: a *Request, an
// *Isolation, a *Query or a *Dial.
type opening any

// decodeOpening reads the first message. The version comes first, since a
// client of another version may mean anything by the rest.
func decodeOpening(data []byte) (opening, *fault.Error) {
	var head struct {
		Version        int
		Isolate, Query bool
		Dial           int
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, badRequest("the request has no version: %v", err)
	}
	if head.Version != Version {
		return nil, versionSkew(head.Version)
	}
	var message opening = &Request{}
	switch {
	case head.Isolate:
		message = &Isolation{}
	case head.Query:
		message = &Query{}
	case head.Dial != 0:
		message = &Dial{}
	}
	if err := json.Unmarshal(data, message); err != nil {
		return nil, badRequest("the request is damaged: %v", err)
	}
	return message, nil
}

// files is how many files must come with the request.
func (r Request) files() int {
	if r.Terminal {
		return 0
	}
	return 3
}

// check says what is wrong with a request that came with some files, or nil.
func (r Request) check(files int) *fault.Error {
	switch {
	case files != r.files():
		return badRequest("the request came with %d files instead of %d", files, r.files())
	case len(r.Args) == 0:
		return badRequest("the request names no command")
	case len(r.Dir) == 0 || r.Dir[0] != '/':
		return badRequest("the working directory %q is not absolute", string(r.Dir))
	case !validID(r.UID) || !validID(r.GID):
		return badRequest("there is no user %d:%d", r.UID, r.GID)
	}
	for _, text := range slices.Concat(r.Args, r.Env, []Text{r.Dir}) {
		if strings.Contains(string(text), "\x00") {
			return badRequest("%q holds a NUL byte", string(text))
		}
	}
	for _, g := range r.Groups {
		if !validID(g) {
			return badRequest("there is no group %d", g)
		}
	}
	return nil
}

// validID tells whether id names a user or group; the highest value means "none".
func validID(id int) bool { return id >= 0 && id < 1<<32-1 }

// badRequest is the client's mistake.
func badRequest(format string, args ...any) *fault.Error {
	return &fault.Error{Code: BadRequest, Class: fault.Bug, Message: fmt.Sprintf(format, args...)}
}

// versionSkew is a client of another version.
func versionSkew(client int) *fault.Error {
	return &fault.Error{
		Code:    VersionSkew,
		Message: fmt.Sprintf("the container's agent speaks version %d of the protocol, this wr speaks %d", Version, client),
		Next:    "stop the container, so that it is made again by this wr",
	}
}

// plain makes plain strings of texts.
func plain(texts []Text) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = string(t)
	}
	return out
}

// texts makes texts of plain strings.
func texts(plain []string) []Text {
	out := make([]Text, len(plain))
	for i, s := range plain {
		out[i] = Text(s)
	}
	return out
}
