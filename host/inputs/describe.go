package inputs

import (
	"io/fs"
	"os"
)

// Describe is what counts of the file at a host path, as in Part.Value: type, the
// mode that git would keep, a link's target, and the content.
func (x *Index) Describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	return describe(entry{abs: path, info: info}, x)
}

// State is what changes whenever somebody writes to a file or changes what is in a
// directory: the same twice means that nobody did in between.
type State stat

// StateOf is the State of a file.
func StateOf(info fs.FileInfo) State { return State(statOf(info)) }
