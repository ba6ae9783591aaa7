// Package plan turns a selection of projects into actions: pure data that can
// be printed, sent elsewhere, compared and cached. Making a plan reads nothing
// and starts nothing; package run carries it out.
package plan

import (
	"slices"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Kind is what an action does.
type Kind string

// The kinds of action.
const (
	Build Kind = "build" // make a project's image
	Test  Kind = "test"  // run a project's tests in its container
)

// Plan is an ordered list of actions. An action comes after all it needs.
type Plan struct {
	Workspace string   `json:"workspace"`      // name
	Root      string   `json:"root"`           // host path
	Here      string   `json:"here,omitempty"` // path of the project whose container wr itself runs in, and tests with it; "" = containers are made
	Actions   []Action `json:"actions"`
}

// Bases are what the bases of a project's image stand for in the plan.
func (p Plan) Bases(project string) map[string]string {
	for _, a := range p.Actions {
		if a.Build != nil && a.Project == project {
			return a.Build.Bases
		}
	}
	return nil
}

// Action is the smallest step with a key. Exactly one of Build, Test, None and
// Fault says what there is to do.
type Action struct {
	ID        string        `json:"id"`                  // "test:apps/web"
	Kind      Kind          `json:"kind"`                //
	Project   string        `json:"project"`             // project path
	Container string        `json:"container,omitempty"` // of a test: whose container it is, if not its own: path of a project, or name of an entry of [images]
	Slice     string        `json:"slice,omitempty"`     // of a test: which of the project's cases there, such as "slow"; "" = all that are to run
	Shard     string        `json:"shard,omitempty"`     // of a test: which part of those, as "2/3"; "" = all
	Needs     []string      `json:"needs,omitempty"`     // ids of actions that must succeed first
	Key       string        `json:"key,omitempty"`       // sha256 of all that decides the result
	Build     *spec.Build   `json:"build,omitempty"`
	Remote    string        `json:"remote,omitempty"` // of a build: where a registry may have its image
	Denied    *fault.Error  `json:"denied,omitempty"` // of a build: why its image has to be found and cannot be made
	Test      *Tests        `json:"test,omitempty"`
	Estimate  time.Duration `json:"estimate,omitempty"` // of a test: how long it takes, as far as is known
	Wanted    string        `json:"wanted,omitempty"`   // of a test: the image that it should run in; another one takes its place
	Rights    []event.Right `json:"rights,omitempty"`   // of a test: what it may do besides the usual
	Reason    string        `json:"reason,omitempty"`   // why it may
	None      string        `json:"none,omitempty"`     // no tests, by declaration: the reason
	Fault     *fault.Error  `json:"fault,omitempty"`    // known already: this cannot be done
}

// Unit is what a test action tests.
func (a Action) Unit() event.Unit {
	return event.Unit{Project: a.Project, Container: a.Container, Slice: a.Slice, Shard: a.Shard}
}

// Places says which cases of a project belong in which containers. Those go by
// the paths of their projects, or their names in [images], files by container
// paths.
type Places struct {
	Default string            `json:"default"` // where a case without a mark belongs
	Names   map[string]string `json:"names"`   // name in a mark to whose container it is
	Leave   []string          `json:"leave"`   // files that have no case for this container
	Take    []string          `json:"take"`    // nil: all other files; else no others
	Mixed   []string          `json:"mixed"`   // files with cases for this container and for others
}

// Collect reports whether a file, by its container path, is to be collected.
func (p Places) Collect(file string) bool {
	return (p.Take == nil || slices.Contains(p.Take, file)) && !slices.Contains(p.Leave, file)
}

// Tests says how one project's tests run.
type Tests struct {
	Container  spec.Container `json:"container"`
	Command    []string       `json:"command"`          // pytest and its fixed arguments
	Args       []string       `json:"args,omitempty"`   // of pytest: the project's, then the user's
	Named      []string       `json:"named,omitempty"`  // the files, directories and node ids of Args
	Paths      []string       `json:"paths,omitempty"`  // what to collect when Args name nothing, relative to Dir; none = what pytest finds
	Dir        string         `json:"dir"`              // container path where the command starts
	Taken      []string       `json:"taken,omitempty"`  // names of variables that have the caller's own values
	Order      []string       `json:"order,omitempty"`  // node ids of the cases to run, in order, of a run that repeats another; none = all as collected
	Env        []string       `json:"env,omitempty"`    // of the command, over the container's
	Nested     []string       `json:"nested,omitempty"` // container paths of projects below, not to be collected
	Places     Places         `json:"places"`
	Shards     int            `json:"shards,omitempty"`   // into which they may be parted at most
	Suites     []Suite        `json:"suites"`             // all, in the order in which they take cases
	NotHere    []Elsewhere    `json:"notHere,omitempty"`  // cases in files that are not collected, since another container has them
	Assigned   []Assigned     `json:"assigned,omitempty"` // what plugins say of cases; the first that says something of one counts
	Further    []string       `json:"further,omitempty"`  // container paths of files that pytest does not find by itself
	AllowEmpty bool           `json:"allowEmpty,omitempty"`
	Coverage   bool           `json:"coverage,omitempty"` // measure what they cover
	Timeout    time.Duration  `json:"timeout,omitempty"`  // of all together; 0 = as long as they take
	Debug      Debug          `json:"debug,omitzero"`
	Repetition
}

// Assigned is what a plugin says of a case, or of all cases of a class or a file,
// besides what their marks say.
type Assigned struct {
	File      string `json:"file"`                // container path
	ID        string `json:"id,omitempty"`        // node id behind it; "" = all of the file
	Suite     string `json:"suite,omitempty"`     // "" = by its marks
	Container string `json:"container,omitempty"` // path of the lender; "" = by its marks
	Line      int    `json:"line,omitempty"`      // where the test is
	Plugin    string `json:"plugin"`
	At        string `json:"at"` // where it is said
}

// Elsewhere is a case that another container has.
type Elsewhere struct {
	Case    string `json:"case"` // node id, relative to the project
	File    string `json:"file"` // workspace path
	Line    int    `json:"line"`
	Belongs string `json:"belongs"` // path of the project whose container has it
}
