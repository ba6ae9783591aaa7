package abi

// DiscoverParams are the params of MethodDiscover.
type DiscoverParams struct {
	Work
	Paths  []string `json:"paths,omitempty"`  // where its tests are, from the project; none = anywhere below it
	Nested []string `json:"nested,omitempty"` // projects below this one, whose files are their own
}

// DiscoverResult is the result of MethodDiscover: what is to be tested.
type DiscoverResult struct {
	Files []TestFile `json:"files"`
}

// TestFile is a file with tests; or, with Open, a directory in which there may be some.
// One that pytest would not look into is collected if it has cases.
type TestFile struct {
	File    string     `json:"file"`
	Cases   []TestCase `json:"cases,omitempty"`
	Imports []Import   `json:"imports,omitempty"`
	// Open says why this is not all that there is to know of the file, as far as the
	// plugin can tell; such a file is collected in its containers. "" = it is all.
	Open string `json:"open,omitempty"`
}

// TestCase is a test, or all cases of a parametrised one.
type TestCase struct {
	ID        string   `json:"id"` // the node id behind the file: "TestA::test_b[1]"; "" = all that are in the file
	Line      int      `json:"line,omitempty"`
	Marks     []string `json:"marks,omitempty"`
	Suite     string   `json:"suite,omitempty"`     // "" = by its marks
	Container string   `json:"container,omitempty"` // "" = by its marks, else the project's
	Said      *Line    `json:"said,omitempty"`      // where suite and container are said; nil = where the test is
}

// Line is a line of a file of the workspace.
type Line struct {
	File string `json:"file"`
	Line int    `json:"line,omitempty"`
}

// Import is a module that a file imports.
type Import struct {
	Module string `json:"module"` // absolute where that can be known: "acme.infra.net"
	Line   int    `json:"line"`
}

// TaskParams are the params of MethodTask.
type TaskParams struct {
	Work
	Task  string              `json:"task"`
	Flags map[string][]string `json:"flags,omitempty"` // those that were given, and defaults
	Args  []string            `json:"args,omitempty"`
}

// TaskResult is the result of MethodTask.
type TaskResult struct {
	Exit        int          `json:"exit"`             // 0 = well, 1 = what was checked is not as it should be
	Output      string       `json:"output,omitempty"` // for stdout
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
	Edits       []Edit       `json:"edits,omitempty"` // applied when Exit is 0
}

// ReleaseParams are the params of MethodRelease.
type ReleaseParams struct {
	Work
	Version string `json:"version"` // semver
	Stage   string `json:"stage"`
}

// ReleaseResult is a plan: steps in their order.
type ReleaseResult struct {
	Steps []Step `json:"steps"`
}

// Step is a step of a release. It is shown before it is done.
type Step struct {
	Name string   `json:"name"` // unique in the plan
	Help string   `json:"help,omitempty"`
	Argv []string `json:"argv,omitempty"` // a process in the project's container
	Task string   `json:"task,omitempty"` // or a task of this plugin
	Undo []string `json:"undo,omitempty"` // a process that takes it back
}

// ImageParams are the params of MethodImage.
type ImageParams struct {
	Work
	Stage string `json:"stage"`
}

// ImageResult says how the project's image is built.
type ImageResult struct {
	Dockerfile string   `json:"dockerfile"`       // its text
	Inputs     []string `json:"inputs,omitempty"` // globs of files that it copies
}

// CheckParams are the params of MethodCheck.
type CheckParams struct {
	Work
	Hook string `json:"hook"` // as in Provides.Checks
}

// CheckResult is the result of MethodCheck. An error among the diagnostics before
// something is done keeps it from being done.
type CheckResult struct {
	Diagnostics []Diagnostic `json:"diagnostics,omitempty"`
}
