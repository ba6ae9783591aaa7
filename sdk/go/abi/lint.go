package abi

// LintParams are the params of MethodLint and MethodFormat.
type LintParams struct {
	Work
	Files []string `json:"files"` // sorted
}

// LintResult is the result of MethodLint.
type LintResult struct {
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// FormatResult is the result of MethodFormat: the edits that make the files what
// they should be. A file without edits is as it should be.
type FormatResult struct {
	Edits []Edit `json:"edits"`
}

// Severity is how bad a Diagnostic is. Errors alone make wr fail, unless asked otherwise.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Diagnostic is something to be said of a file.
type Diagnostic struct {
	File     string   `json:"file"`
	Range    Range    `json:"range,omitzero"` // zero: of the file as a whole
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"` // stable: "SC2086"
	Message  string   `json:"message"`
	URL      string   `json:"url,omitempty"` // where the rule is explained
	Fixes    []Fix    `json:"fixes,omitempty"`
}

// Range is a part of a file, without its End.
type Range struct {
	Start Position `json:"start"`
	End   Position `json:"end,omitzero"` // zero: not known
}

// Position is a place in a file. Lines and columns count from 1, columns in bytes
// of UTF-8; column 0 is not known.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column,omitempty"`
}

// Fix is one way to mend what a Diagnostic says.
type Fix struct {
	Title string `json:"title"`
	Safe  bool   `json:"safe"` // does not change what the code means; --fix applies those alone
	Edits []Edit `json:"edits"`
}

// Edit replaces the bytes [Start, End) of a file as it was when the call began.
type Edit struct {
	File  string `json:"file"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
	Text  string `json:"text"`
}
