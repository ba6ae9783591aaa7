// Package target reads what a person types to name what a command works on:
// "infra", "./infra", ".", "infra/test/test_a.py" or
// "infra/test/test_a.py::TestA::test_b[1-x]". It looks at the text alone;
// package workspace finds what the text stands for.
package target

import (
	"path"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Target is one thing named on a command line. Exactly one of Project and Path
// is set.
type Target struct {
	// Project is the name or directory of a project, or a directory inside one.
	// A directory that was typed as such keeps its "./", "../" or "/".
	Project string
	// Path is a test file, relative to the working directory or absolute.
	Path string
	// Node is what follows the first "::" after Path: "TestA::test_b[1-x]".
	Node string
}

// Parse reads one argument. Its only errors are faults with the code
// "target.invalid".
func Parse(text string) (Target, error) {
	if strings.ContainsRune(text, 0) {
		return Target{}, invalid(text, "holds a NUL byte")
	}
	file, node, hasNode := strings.Cut(text, "::")
	switch {
	case text == "":
		return Target{}, invalid(text, "is empty")
	case hasNode && (file == "" || node == ""):
		return Target{}, invalid(text, "needs a file before :: and a name after it")
	case hasNode && strings.HasSuffix(path.Clean(file), ":"):
		return Target{}, invalid(text, "names a file that ends in a colon, so its :: cannot be told")
	case hasNode:
		return Target{Path: path.Clean(file), Node: node}, nil
	case strings.HasSuffix(path.Clean(file), ".py"):
		return Target{Path: path.Clean(file)}, nil
	default:
		return Target{Project: clean(file)}, nil
	}
}

// IsDir reports whether the target was typed as a directory, not as a name.
func (t Target) IsDir() bool {
	return t.Project == "." || t.Project == ".." || strings.HasPrefix(t.Project, "/") ||
		strings.HasPrefix(t.Project, "./") || strings.HasPrefix(t.Project, "../")
}

// String gives the target as it can be typed.
func (t Target) String() string {
	if t.Node != "" {
		return t.Path + "::" + t.Node
	}
	return t.Project + t.Path
}

// clean is path.Clean that keeps a leading "./", which says that a directory
// is meant and not a name.
func clean(dir string) string {
	cleaned := path.Clean(dir)
	if !strings.HasPrefix(dir, "./") || cleaned == "." || strings.HasPrefix(cleaned, "..") {
		return cleaned
	}
	return "./" + cleaned
}

// invalid is the fault for an argument that cannot name anything.
func invalid(text, why string) error {
	return &fault.Error{
		Code: "target.invalid", Class: fault.Usage,
		Message: "target \"" + text + "\" " + why,
		Next:    "name a project, a test file, or a case as FILE::NAME",
	}
}
