package sandbox

import (
	"encoding/json"
	"time"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// protocol is the version of the messages below.
const protocol = 3

// controlFD is the child's end of the socket. Messages are those of package wire.
const controlFD = 3

// hello is the first message to a child. With it come the module that is to be
// compiled, or the outline of one that was, the directory of compiled code, and the
// root if there is one.
type hello struct {
	Version int             `json:"version"`
	Compile bool            `json:"compile"` // compile the module, and no more
	Digest  string          `json:"digest"`  // of what is to be compiled
	Rules   confine.Rules   `json:"rules"`
	Limits  Limits          `json:"limits"`
	Mount   json.RawMessage `json:"mount,omitempty"`
	Clock   bool            `json:"clock"`
	Random  bool            `json:"random"`
	Code    string          `json:"code"` // path, where a directory cannot be opened through its descriptor
	Root    string          `json:"root"` // the same; "" = there is none
}

// request is a later message to a child: one of its fields.
type request struct {
	Verified bool   `json:"verified,omitempty"` // the compiled code is what it was; the first, before anything is started
	Start    *start `json:"start,omitempty"`    // with stdin, stdout and stderr
	Take     *take  `json:"take,omitempty"`     // with a pipe for what the guest has left
	Forget   int    `json:"forget,omitempty"`   // the instance's Tree is not asked any more
}

type start struct {
	ID   int      `json:"id"` // from 1
	Args []string `json:"args"`
	Env  []string `json:"env,omitempty"`
}

type take struct {
	ID int `json:"id"`
}

// report is a message from a child: one of its fields.
type report struct {
	Progress *Progress    `json:"progress,omitempty"`
	Ready    *ready       `json:"ready,omitempty"`
	Fault    *fault.Error `json:"fault,omitempty"` // instead of Ready; the child ends
	Ended    *ended       `json:"ended,omitempty"`
}

// takeEnd stands behind what was taken of a Tree, if that is all.
const takeEnd = "."

type ready struct {
	Version int           `json:"version"`
	Facts   confine.Facts `json:"facts"`
}

type ended struct {
	ID  int `json:"id"`
	End End `json:"end"`
}

// End is how an instance ended.
type End struct {
	Exit  int    `json:"exit"`            // code, if it ended by itself
	Trap  string `json:"trap,omitempty"`  // what went wrong in it, in WebAssembly's words: "unreachable"
	Limit string `json:"limit,omitempty"` // which limit it ran into: "memory", "output", "stack", or one of its Tree
	Trace string `json:"trace,omitempty"` // the guest's functions, innermost first, after a trap or limit
	Usage Usage  `json:"usage"`
	Log   string `json:"-"` // the end of what it wrote to stderr
}

// OK says whether the guest ended by itself and says that all is well.
func (e End) OK() bool { return e.Exit == 0 && e.Trap == "" && e.Limit == "" }

// Usage is what an instance needed.
type Usage struct {
	Time   time.Duration `json:"time"`
	Memory int64         `json:"memory"` // bytes, at most
	Output int64         `json:"output"` // bytes on stdout
	Files  int           `json:"files"`  // opened
	Read   int64         `json:"read"`   // bytes of files
}
