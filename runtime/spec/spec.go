// Package spec is the leaf where host and runtime meet: plain data that says
// which image to build and which container to run, and the small interfaces
// behind which runtime does it. Host decides, runtime executes; neither
// imports the other beyond this package.
//
// All paths called "host path" are absolute paths on this machine; all paths
// called "container path" are absolute slash-separated paths inside.
package spec

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Build says how one image is made. The zero value of optional fields means
// the Dockerfile's own default.
type Build struct {
	Project    string            `json:"project"`           // path of the project, or name of the entry of [images], for labels and messages
	Folder     string            `json:"folder"`            // workspace path of Context, for messages
	Ref        string            `json:"ref"`               // image reference to create; ends with the inputs key
	Context    string            `json:"context"`           // host path of the build context
	Dockerfile string            `json:"dockerfile"`        // relative to Context, slash-separated
	Text       string            `json:"text,omitempty"`    // of the Dockerfile, where there is no file; then Dockerfile is what messages call it
	Ignore     []string          `json:"ignore,omitempty"`  // lines of a .dockerignore, in place of those that Context has; with Text alone
	Target     string            `json:"target,omitempty"`  // stage to build
	Args       map[string]string `json:"args,omitempty"`    // build arguments
	Labels     map[string]string `json:"labels,omitempty"`  // image labels
	NoCache    bool              `json:"noCache,omitempty"` // ignore BuildKit's cache
	// Bases are full references of FROM and what they stand for in this build:
	// other full references, with a digest. What is not in it stands for itself.
	Bases map[string]string `json:"bases,omitempty"`
	Layer *Layer            `json:"layer,omitempty"` // added to what the Dockerfile makes
}

// Layer is a last layer of an image that wr itself adds, and what the image's
// environment has to say of it.
type Layer struct {
	Files map[string]string `json:"files"` // by container path; directories are made
	Env   map[string]string `json:"env,omitempty"`
	// Lists are variables that list directories, and what is added behind those
	// that the image has in it.
	Lists map[string]string `json:"lists,omitempty"`
}

// Image is an image in the engine's local store.
type Image struct {
	Ref     string            `json:"ref"`
	Digest  string            `json:"digest"` // sha256:... of the manifest
	Size    int64             `json:"size"`   // bytes in the content store
	Created time.Time         `json:"created"`
	Labels  map[string]string `json:"labels,omitempty"` // labels of the store's record, not of the image config
}

// Network is what a container can reach.
type Network string

// The networks of design.md section 5. NetworkNone has a loopback that is up.
const (
	NetworkNone Network = "none"
	NetworkHost Network = "host"
)

// Entrypoint says what becomes of an image's ENTRYPOINT.
type Entrypoint string

// What can become of it. The zero value is EntrypointOnce.
const (
	EntrypointOnce Entrypoint = "once" // it runs when the container starts; processes get the environment that it made
	EntrypointEach Entrypoint = "each" // it runs before every process
	EntrypointOff  Entrypoint = "off"  // it never runs
)

// Mount binds a host path to a container path.
type Mount struct {
	Source   string `json:"source"` // host path
	Target   string `json:"target"` // container path
	ReadOnly bool   `json:"readOnly,omitempty"`
	// Owned maps the container's process uid:gid to the caller, so that what
	// the container writes through this mount belongs to the caller on disk.
	Owned bool `json:"owned,omitempty"`
}

// Owner is the numeric user and group that files on this machine belong to.
type Owner struct {
	UID int `json:"uid"`
	GID int `json:"gid"`
}

// Role says what becomes of a container when its process has ended.
type Role string

// The roles of design.md section 5.
const (
	RoleFresh Role = ""     // it is removed
	RoleDev   Role = "dev"  // it is kept, with all that was written, for processes that want the same, also at once
	RoleTest  Role = "test" // it is kept for one process at a time; nothing that one of them wrote reaches the next
)

// Container says how one container is made, or which one that is kept will do.
type Container struct {
	Role     Role     `json:"role,omitempty"`
	Image    string   `json:"image"`            // reference in the local store
	Hostname string   `json:"hostname"`         // also resolvable inside
	Mounts   []Mount  `json:"mounts,omitempty"` // in order
	Own      []Mount  `json:"own,omitempty"`    // after those; with RoleTest, of one process each: they tell no containers apart
	Env      []string `json:"env,omitempty"`    // KEY=VALUE, over the image's own
	User     string   `json:"user,omitempty"`   // uid[:gid] or name; "" = the image's
	Network  Network  `json:"network"`
	Rights   Rights   `json:"rights,omitzero"` // not with RoleTest

	Entrypoint Entrypoint        `json:"entrypoint,omitempty"` // "" = once
	Caller     Owner             `json:"caller"`               // whom files of Owned mounts belong to
	Labels     map[string]string `json:"labels,omitempty"`     // wr.project, wr.run, ...
	Pids       int64             `json:"pids,omitempty"`       // limit; 0 = the default
	Memory     int64             `json:"memory,omitempty"`     // bytes; 0 = no limit
	CPUs       float64           `json:"cpus,omitempty"`       // processors' worth of time; 0 = no limit
}

// Process says what runs inside a container.
type Process struct {
	Args     []string `json:"args"`          // none = the image's own CMD
	Env      []string `json:"env,omitempty"` // KEY=VALUE, over the container's own
	Dir      string   `json:"dir"`           // container path; "" = the image's own
	Terminal bool     `json:"terminal,omitempty"`
	Size     Size     `json:"size,omitzero"` // of the terminal at start
	// Ports of the container's loopback are reachable on this machine's for as
	// long as the process runs.
	Ports []Port `json:"ports,omitempty"`

	// Detached lets the process run on when the context of Run ends because of
	// ErrLeft, or when who called Run is killed. Its container, one of RoleDev,
	// is in use for as long. Not with Terminal.
	Detached bool `json:"detached,omitempty"`
}

// ErrLeft is why the context of a Run ends whose process is to run on.
var ErrLeft = errors.New("the process runs on")

// Port is a TCP port of a container and the address on this machine under
// which it can be reached.
type Port struct {
	Address   string `json:"address"`   // host:port; port 0 = any free one
	Container int    `json:"container"` // port inside
}

// Size is a terminal's size in character cells.
type Size struct {
	Cols uint16 `json:"cols"`
	Rows uint16 `json:"rows"`
}

// Stdio is what a process reads and writes. The files themselves are handed
// to the process, so nothing is copied. With Process.Terminal the process gets
// a terminal of its own and In and Out are proxied to it.
type Stdio struct {
	In, Out, Err *os.File
	Resize       <-chan Size      // new terminal sizes; may be nil
	Signals      <-chan os.Signal // forwarded to the process group; may be nil
}

// Exit is how a process ended.
type Exit struct {
	Code      int           `json:"code"`                // as a shell would say it: 128+signal when killed
	Signal    int           `json:"signal,omitempty"`    // 0 = it exited by itself
	OOMKilled bool          `json:"oomKilled,omitempty"` // the kernel ended it for memory
	Elapsed   time.Duration `json:"elapsed"`             // of the process alone

	// Suspect is what may have made the process fail, seen from outside, such as
	// a limit that struck; nil when it succeeded or there is nothing to see.
	Suspect *fault.Error `json:"suspect,omitempty"`
}

// Step is one line of progress of a build.
type Step struct {
	ID     string `json:"id"`               // stable within one build
	Name   string `json:"name"`             // "[2/3] RUN pip install ..."
	Done   bool   `json:"done,omitempty"`   //
	Cached bool   `json:"cached,omitempty"` //
	Log    string `json:"log,omitempty"`    // output of the step since the last Step
	Error  string `json:"error,omitempty"`  //
}

// Images finds images in the local store.
type Images interface {
	// Lookup returns the image, or ok = false when the store has none.
	Lookup(ctx context.Context, ref string) (image Image, ok bool, err error)
}

// Builder makes images. A failure of the Dockerfile is a *fault.Error with
// code "image.build_failed" and the Dockerfile's line.
type Builder interface {
	Images
	Build(ctx context.Context, b Build, progress func(Step)) (Image, error)
}

// Runner runs one process in a container, whose role says what becomes of it
// whatever happens. A process that fails is an Exit, not an error. When ctx
// ends, the process gets SIGINT, a moment to finish, and is then killed. Run
// returns once nothing runs any more that the process started (in a container
// of RoleDev: in its session), with context.Cause(ctx) if ctx ended; snapshots
// and files may be removed a moment later.
type Runner interface {
	Run(ctx context.Context, c Container, p Process, io Stdio) (Exit, error)
}

// IsolationCapabilities are what the agent of a container of RoleTest needs,
// and takes from the processes that it isolates.
func IsolationCapabilities() []string {
	return []string{"CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETPCAP"}
}

// State is the directory in the root of a workspace that wr itself writes to. It
// is no part of any build context.
const State = ".wr"

// Container paths that wr itself uses.
const (
	Workspace = "/app"         // the workspace root
	Internal  = "/.wr"         // everything of wr's own inside a container
	Agent     = "/.wr/agent"   // the resident agent's binary
	Scratch   = "/.wr/scratch" // where the agent keeps what an isolated run writes
)
