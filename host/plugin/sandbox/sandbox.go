// Package sandbox runs plugins in child processes of wr, one for each plugin with
// the grants that it has.
//
// A child holds a compiled module, a directory that it may read and its end of
// one socket; it has given up everything else (package confine). Instances of the
// module run in it, several at once, each with pipes of its own. What a guest may
// do besides is computing, and that is bounded: memory and output by the child,
// time by killing the child, which is the only way that stops every guest. So a
// guest that is stopped takes its neighbours with it; whoever started them starts
// them again.
//
// Modules are compiled in a child of their own, once. The compiled code is kept
// where children cannot write, with its hash, and is verified each time before a
// child gets to see it.
package sandbox

import (
	"cmp"
	"encoding/json"
	"os"
	"runtime"
	"time"

	"github.com/wr-build/wr/host/plugin/module"
)

// command is the command of wr that is a child: `wr plugin host`. It is for wr
// alone and in no help.
var command = [...]string{"plugin", "host"}

// IsChild says whether these arguments of wr make it a child.
func IsChild(args []string) bool {
	return len(args) == len(command) && [2]string(args) == command
}

// Config is a plugin as it is to be run.
type Config struct {
	Name      string          // in messages
	Module    string          // path of the module
	Digest    string          // sha256 of the module in hex; what does not have it is not run
	CacheDir  string          // where compiled code is kept; made if need be, for this user alone
	CacheSize int64           // bytes of compiled code that are kept; what was used last stays; 0 = 4 GiB
	Root      *os.File        // the directory that instances may read from; nil = none
	Mount     json.RawMessage // what the Tree of an instance is made of
	Clock     bool            // the real time, not a frozen one
	Random    bool            // real randomness, not a seeded one
	Limits    Limits
	Progress  func(Progress) // told when the module has to be compiled; may be nil
	Peak      func(int64)    // told how much memory the child has needed, in bytes, before it is killed; several times perhaps; may be nil
	Program   string         // the program that is the child; "" = this one
}

// Limits bound a plugin. What is zero is as Default says.
type Limits struct {
	Memory    int64         `json:"memory"`    // bytes of one instance
	Instances int           `json:"instances"` // that run at once; others wait
	Output    int64         `json:"output"`    // bytes on stdout of one instance
	Log       int64         `json:"log"`       // bytes on stderr of one instance that are passed on
	Files     int           `json:"files"`     // open files of a child
	Notes     int64         `json:"notes"`     // bytes that the Tree of an instance has to tell
	Module    module.Limits `json:"module"`

	CompileMemory int64         `json:"compile_memory"` // bytes of address space
	CompileTime   time.Duration `json:"compile_time"`
}

// Default are the limits of plugins of which nobody says anything else.
func Default() Limits {
	return Limits{
		Memory:        256 << 20,
		Instances:     max(2, runtime.NumCPU()),
		Output:        64 << 20,
		Log:           1 << 20,
		Files:         4096,
		Notes:         256 << 20,
		Module:        module.Default(),
		CompileMemory: 2 << 30,
		CompileTime:   2 * time.Minute,
	}
}

// or replaces what is zero. A module may start with as much memory as its
// instances may have.
func (l Limits) or(d Limits) Limits {
	l.Module.Memory = cmp.Or(l.Module.Memory, int(cmp.Or(l.Memory, d.Memory)))
	return Limits{
		Memory:        cmp.Or(l.Memory, d.Memory),
		Instances:     cmp.Or(l.Instances, d.Instances),
		Output:        cmp.Or(l.Output, d.Output),
		Log:           cmp.Or(l.Log, d.Log),
		Files:         cmp.Or(l.Files, d.Files),
		Notes:         cmp.Or(l.Notes, d.Notes),
		Module:        l.Module,
		CompileMemory: cmp.Or(l.CompileMemory, d.CompileMemory),
		CompileTime:   cmp.Or(l.CompileTime, d.CompileTime),
	}
}

// stack is how much the calls of one instance can take, which wazero fixes:
// 100 MB, and the half of it that it grew from.
const stack = 160 << 20

// slack is address space for what is neither memory nor stack of instances: the
// module, its compiled code, Go's heap.
const slack = 1 << 30

// address is the address space of a child that runs instances, in bytes beyond
// what a Go program has reserved when it starts.
func (l Limits) address() uint64 {
	return uint64(l.Instances)*(uint64(l.Memory)+stack) + slack
}

// Progress is how far the compiling of a module has come.
type Progress struct {
	Stage     string `json:"stage"`
	Size      int    `json:"size"`      // bytes of the module, in StageCompile
	Functions int    `json:"functions"` // the same
}

// The stages of compiling, in their order.
const (
	StageWait    = "wait" // only where another process compiles the module
	StageCheck   = "check"
	StageCompile = "compile"
	StageKeep    = "keep"
)

// The codes of the faults of this package, besides those of package module.
const (
	CodeTimeout  = "plugin.timeout"      // took longer than it may
	CodeCrashed  = "plugin.host_crashed" // the child is gone, and nobody killed it
	CodeStopped  = "plugin.stopped"      // the child was killed for the sake of another instance
	CodeMemory   = "plugin.host_memory"  // the child ran out of address space
	CodeDigest   = "plugin.digest"       // the module is not the one that was agreed upon
	CodeCompile  = "plugin.compile"      // the module cannot be compiled
	CodeNotes    = "plugin.notes"        // what an instance's Tree tells is too much
	CodeProtocol = "plugin.host_version" // the child is of another wr
	codeStale    = "plugin.code_stale"   // the compiled code is of another wazero or processor
)
