package wr

import (
	"strconv"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Flags are the flags of a task: those that were given, and defaults. The host has
// checked them against the manifest.
type Flags map[string][]string

// FlagsOf are those of one call.
func FlagsOf(p abi.TaskParams) Flags { return p.Flags }

// String is the value of a flag, "" for one that has none.
func (f Flags) String(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Bool reports whether a flag is set.
func (f Flags) Bool(name string) bool { return f.String(name) == "true" }

// Int is the number of a flag; given is false for one that has none.
func (f Flags) Int(name string) (n int64, given bool) {
	n, err := strconv.ParseInt(f.String(name), 10, 64)
	return n, err == nil
}

// List are all values of a flag that may be given several times.
func (f Flags) List(name string) []string { return f[name] }
