package abi

import "encoding/json"

// Kind is how a plugin is used.
type Kind string

// The kinds.
const (
	KindRPC  Kind = "rpc"  // speaks this protocol
	KindTool Kind = "tool" // a command-line program that knows nothing of wr
)

// Manifest says what a plugin is, what it provides and what it needs. It lies in
// the custom section ManifestSection of the module as JSON, or beside a foreign
// tool as NAME.wasm.toml with the same keys.
type Manifest struct {
	ABI         string   `json:"abi"     toml:"abi"`  // Version
	Name        string   `json:"name"    toml:"name"` // [a-z][a-z0-9-]{0,63}
	Version     string   `json:"version" toml:"version"`
	Kind        Kind     `json:"kind"    toml:"kind"`
	Description string   `json:"description,omitempty"  toml:"description"` // one line
	Homepage    string   `json:"homepage,omitempty"     toml:"homepage"`
	License     string   `json:"license,omitempty"      toml:"license"` // SPDX
	Provides    Provides `json:"provides"               toml:"provides"`
	// Stateless says that no answer depends on what was asked before it, so that
	// one instance may answer many questions. Else it answers one.
	Stateless    bool            `json:"stateless,omitempty"    toml:"stateless"`
	Capabilities []Request       `json:"capabilities,omitempty" toml:"capabilities"`
	Config       json.RawMessage `json:"config,omitempty"       toml:"-"` // JSON Schema of the plugin's config table; none = no config
	Tool         *Tool           `json:"tool,omitempty"         toml:"tool"`
}

// Provides is what a plugin can be asked for.
type Provides struct {
	Lint     *Files   `json:"lint,omitempty"     toml:"lint"`
	Format   *Files   `json:"format,omitempty"   toml:"format"`
	Tasks    []Task   `json:"tasks,omitempty"    toml:"tasks"`
	Discover bool     `json:"discover,omitempty" toml:"discover"`
	Release  bool     `json:"release,omitempty"  toml:"release"`
	Image    bool     `json:"image,omitempty"    toml:"image"`
	Checks   []string `json:"checks,omitempty"   toml:"checks"` // "before build", "after test", ...
	Events   []string `json:"events,omitempty"   toml:"events"` // kinds of events, as docs/events.md names them; "*" = all
}

// Files is what lint or format work on.
type Files struct {
	Globs []string `json:"globs" toml:"globs"` // below a project: "**/*.sh"
	// Whole says that files are judged together: all of a project come in one
	// call. Else what is said of a file depends on it and on files that are not in
	// the call, and the host asks for as many at once as it likes.
	Whole bool `json:"whole,omitempty" toml:"whole"`
}

// Task is a command that a plugin adds: `wr NAME`.
type Task struct {
	Name  string `json:"name"            toml:"name"`
	Help  string `json:"help"            toml:"help"` // one line
	Flags []Flag `json:"flags,omitempty" toml:"flags"`
	Args  string `json:"args,omitempty"  toml:"args"` // what stands behind: "FILE..."; "" = none are taken
}

// FlagType is what a Flag's value is.
type FlagType string

// The types of flags.
const (
	FlagString FlagType = "string"
	FlagBool   FlagType = "bool"
	FlagInt    FlagType = "int"
	FlagList   FlagType = "list" // may be given several times
)

// Flag is an option of a Task: --NAME.
type Flag struct {
	Name    string   `json:"name"              toml:"name"`
	Type    FlagType `json:"type"              toml:"type"`
	Help    string   `json:"help"              toml:"help"`
	Default string   `json:"default,omitempty" toml:"default"`
	Choices []string `json:"choices,omitempty" toml:"choices"`
}

// Tool says how to call a program that is no plugin and how to read what it says.
type Tool struct {
	// Args are the arguments; the word "{files}" stands for the files of a call, each
	// as an absolute path. FixArgs are those with which the tool prints a unified diff
	// of what files should be; none are needed where that is its Output.
	Args    []string `json:"args"               toml:"args"`
	FixArgs []string `json:"fix_args,omitempty" toml:"fix_args"`
	Root    string   `json:"root,omitempty"     toml:"root"` // where the workspace is: "/src" (default) or "/"
	Output  Matcher  `json:"output"             toml:"output"`
	// Failure reads what it says, besides, of files that it cannot work on. Without
	// it a file in which the syntax is wrong would look like one that is well. Of its
	// exit codes only Found counts.
	Failure *Matcher `json:"failure,omitempty" toml:"failure"`
}

// Matcher says how to read a tool's output.
type Matcher struct {
	Format   string `json:"format"             toml:"format"`          // "regex", "sarif", "checkstyle", "diff", "list" (a path a line) or "exit"
	Pattern  string `json:"pattern,omitempty"  toml:"pattern"`         // regex: RE2 with groups file, line, column, end_line, end_column, rule, severity, message
	Stream   string `json:"stream,omitempty"   toml:"stream"`          // "stdout" (default) or "stderr"
	Rule     string `json:"rule,omitempty"     toml:"rule"`            // where the output names none
	Message  string `json:"message,omitempty"  toml:"message"`         // where the output has none
	Severity string `json:"severity,omitempty" toml:"severity"`        // where the output has none; default error
	Clean    []int  `json:"clean,omitempty"    toml:"clean"`           // exit codes that mean: worked, nothing found; default 0
	Found    []int  `json:"found,omitempty"    toml:"found,omitempty"` // exit codes that mean: worked, something found; default 1; others = broken
}
