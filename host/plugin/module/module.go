// Package module reads WebAssembly modules without compiling them: whether a
// file is a plugin at all, whether a compiler may be let loose on it, and what
// its manifest is.
//
// Check judges a module's structure: sections, counts, sizes, indices, imports
// and exports. The instructions inside of functions are the compiler's to
// validate. What Check accepts is bounded in everything that decides how much
// memory and time compiling takes. Files are read as they are, by anyone's hand:
// no input makes this package panic or use more memory than the file has.
package module

import (
	"cmp"
	"fmt"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// PageSize is the unit of a module's memory, in bytes.
const PageSize = 64 << 10

// Limits bound a module. What is zero is as Default says.
type Limits struct {
	ModuleSize   int // bytes of the file
	Functions    int // functions that it defines
	FunctionSize int // bytes of code of one function
	Locals       int // locals of one function, its parameters included
	Tables       int
	TableSize    int // elements that all tables start with
	Segments     int // of data, and as many of elements
	Memory       int // bytes of memory that it starts with
	NameLength   int // bytes of the name of an import, an export or a custom section
	Entries      int // types, globals, imports and exports, each; parameters of one type at most a thousandth
}

// Default are the limits of plugins of which nobody says anything else. The
// largest known linters in Go have 30 MB, 50,000 functions and 300 kB in the
// longest of them.
func Default() Limits {
	return Limits{
		ModuleSize:   64 << 20,
		Functions:    200_000,
		FunctionSize: 1 << 20,
		Locals:       50_000,
		Tables:       16,
		TableSize:    1 << 20,
		Segments:     100_000,
		Memory:       256 << 20,
		NameLength:   4096,
		Entries:      100_000,
	}
}

// or replaces what is zero.
func (l Limits) or(d Limits) Limits {
	return Limits{
		ModuleSize:   cmp.Or(l.ModuleSize, d.ModuleSize),
		Functions:    cmp.Or(l.Functions, d.Functions),
		FunctionSize: cmp.Or(l.FunctionSize, d.FunctionSize),
		Locals:       cmp.Or(l.Locals, d.Locals),
		Tables:       cmp.Or(l.Tables, d.Tables),
		TableSize:    cmp.Or(l.TableSize, d.TableSize),
		Segments:     cmp.Or(l.Segments, d.Segments),
		Memory:       cmp.Or(l.Memory, d.Memory),
		NameLength:   cmp.Or(l.NameLength, d.NameLength),
		Entries:      cmp.Or(l.Entries, d.Entries),
	}
}

// Summary is what a module is, for people who decide about it.
type Summary struct {
	Size            int      `json:"size"`             // bytes of the file
	Functions       int      `json:"functions"`        // that it defines
	LongestFunction int      `json:"longest_function"` // bytes of code
	Memory          int      `json:"memory"`           // bytes that it starts with
	Imports         []string `json:"imports"`          // functions of WASI, sorted
}

// The codes of the faults of this package.
const (
	CodeInvalid   = "plugin.module_invalid"   // no WebAssembly, or malformed
	CodeComponent = "plugin.module_component" // a component, not a core module
	CodeImport    = "plugin.module_import"    // needs something besides WASI preview 1
	CodeExport    = "plugin.module_export"    // has no _start or no memory: no command
	CodeLimit     = "plugin.module_limit"     // larger in something than is allowed
	CodeManifest  = "plugin.manifest_invalid" // two manifests in one module, or one that is too long
)

func invalid(format string, args ...any) *fault.Error {
	return &fault.Error{
		Code: CodeInvalid, Message: "not a valid WebAssembly module: " + fmt.Sprintf(format, args...),
		Next: "build the plugin again; the file may have been cut short on its way",
	}
}

func nameTooLong(got, most int) *fault.Error {
	return &fault.Error{
		Code: CodeLimit, Message: fmt.Sprintf("a name of %d bytes, more than %d", got, most),
		Next: "build the plugin with shorter names, or without the sections that have them",
	}
}

// limit is the fault of a module with too much of what. name is the limit's in wr.lock.
func limit(name, what string, got, most int) *fault.Error {
	return &fault.Error{
		Code: CodeLimit, Message: fmt.Sprintf("%s: %d, over the limit %s of %d", what, got, name, most),
		Next: "raise limits." + name + " of the plugin in wr.lock, if you trust it with that",
	}
}
