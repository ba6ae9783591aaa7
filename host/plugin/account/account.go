// Package account keeps what plugins did, in numbers: how often they were asked, how
// long they took, what they needed.
//
// A Book holds those of one run of wr. A file in a workspace's state (Add, Read) has
// a line for each of the last runs. Nothing depends on it: lines that are damaged or of
// another version count as none.
package account

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Use is what one plugin did. The zero value has done nothing.
type Use struct {
	Calls    int64     `json:"calls"`              // that it worked on
	Kept     int64     `json:"kept"`               // that were answered as they were before, without it
	Failed   int64     `json:"failed,omitempty"`   // of Calls
	Crashes  int64     `json:"crashes,omitempty"`  // of Failed: its process ended by itself
	TimedOut int64     `json:"timedOut,omitempty"` // of Failed
	Again    int64     `json:"again,omitempty"`    // that it was asked once more, as another call had ended its process
	Times    Durations `json:"times,omitzero"`     // of Calls, host functions with them

	Starts  int64         `json:"starts"`            // of processes
	Start   time.Duration `json:"start"`             // until they were ready, nanoseconds
	Compile time.Duration `json:"compile,omitempty"` // of the module, nanoseconds

	Memory  int64 `json:"memory"`  // bytes of linear memory of the largest instance
	Process int64 `json:"process"` // bytes that the largest process had in memory; 0 = not known
	Files   int64 `json:"files"`   // opened
	Read    int64 `json:"read"`    // bytes of files

	Functions map[string]Function `json:"functions,omitempty"` // of the host, by name
}

// Function is a function of the host, as it was called.
type Function struct {
	Calls  int64         `json:"calls"`
	Denied int64         `json:"denied,omitempty"` // for want of a grant
	Time   time.Duration `json:"time"`             // nanoseconds
}

// Add adds what the plugin did at another time.
func (u *Use) Add(o Use) {
	u.Calls += o.Calls
	u.Kept += o.Kept
	u.Failed += o.Failed
	u.Crashes += o.Crashes
	u.TimedOut += o.TimedOut
	u.Again += o.Again
	u.Times.Merge(o.Times)
	u.Starts += o.Starts
	u.Start += o.Start
	u.Compile += o.Compile
	u.Memory = max(u.Memory, o.Memory)
	u.Process = max(u.Process, o.Process)
	u.Files += o.Files
	u.Read += o.Read
	for name, f := range o.Functions {
		u.Call(name, f)
	}
}

// Call adds calls of a function of the host.
func (u *Use) Call(name string, f Function) {
	if u.Functions == nil {
		u.Functions = map[string]Function{}
	}
	all := u.Functions[name]
	u.Functions[name] = Function{all.Calls + f.Calls, all.Denied + f.Denied, all.Time + f.Time}
}

// Called are all functions of the host together.
func (u *Use) Called() Function {
	var all Function
	for _, f := range u.Functions {
		all = Function{all.Calls + f.Calls, all.Denied + f.Denied, all.Time + f.Time}
	}
	return all
}

// Book holds what plugins do in one run of wr. The zero value is empty. It is safe for
// concurrent use.
type Book struct {
	mu  sync.Mutex // guards use
	use map[string]*Use
}

// Enter changes what is written of a plugin.
func (b *Book) Enter(plugin string, change func(*Use)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.use[plugin]
	if u == nil {
		if b.use == nil {
			b.use = map[string]*Use{}
		}
		u = &Use{}
		b.use[plugin] = u
	}
	change(u)
}

// Uses are what plugins did so far, by their names.
func (b *Book) Uses() map[string]Use {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]Use{}
	for name, u := range b.use {
		one := Use{}
		one.Add(*u)
		all[name] = one
	}
	return all
}

// Sum adds up what plugins did in several runs, by their names.
func Sum(runs []Run) map[string]*Use {
	all := map[string]*Use{}
	for _, r := range runs {
		for _, name := range slices.Sorted(maps.Keys(r.Plugins)) {
			if all[name] == nil {
				all[name] = &Use{}
			}
			all[name].Add(r.Plugins[name])
		}
	}
	return all
}
