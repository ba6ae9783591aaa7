package pyscan

import (
	"bytes"
	"encoding/json"
)

// Version changes whenever the same source may give another [File]. Whoever
// keeps results keeps it beside them.
const Version = 1

// File is what one Python file says about tests, without any other file. It
// depends on nothing but the file's bytes, its name and the [Rules].
type File struct {
	Version  int       `json:"version"`
	Name     string    `json:"name"`
	Imports  []Import  `json:"imports,omitempty"`
	Cases    []Case    `json:"cases,omitempty"`    // in the order in which pytest collects them
	Fixtures []Fixture `json:"fixtures,omitempty"` // in the order of the source
	Hooks    []Hook    `json:"hooks,omitempty"`    // pytest_* functions and load_tests, of any file
	Plugins  []Plugin  `json:"plugins,omitempty"`  // pytest_plugins
	Carriers []Carrier `json:"carriers,omitempty"` // classes that carry tests into modules that import them
	Calls    []Call    `json:"calls,omitempty"`    // functions of other modules that run when this one is imported
	Effects  []string  `json:"effects,omitempty"`  // functions that may skip the module that calls them, or add to it
	Reasons  []Reason  `json:"reasons,omitempty"`  // what cannot be decided about the file as a whole

	Ignore     []string `json:"ignore,omitempty"`      // collect_ignore of a conftest.py
	IgnoreGlob []string `json:"ignore_glob,omitempty"` // collect_ignore_glob of a conftest.py
}

// Import is one import statement.
type Import struct {
	Module       string `json:"module"`           // dotted, without the dots of Level
	Level        int    `json:"level,omitempty"`  // leading dots
	Names        []Name `json:"names,omitempty"`  // of from ... import; "*" is a name
	As           string `json:"as,omitempty"`     // of import ... as
	Line         int    `json:"line"`             // 1-based
	TypeChecking bool   `json:"typing,omitempty"` // under if TYPE_CHECKING: never carried out
	Guarded      bool   `json:"guarded,omitempty"`
	Function     bool   `json:"function,omitempty"` // in a function: carried out when that is called
}

// Name is what a from ... import takes from its module.
type Name struct {
	Name string `json:"name"`
	As   string `json:"as,omitempty"`
}

// Bound is the name that is bound in the importing module.
func (n Name) Bound() string {
	if n.As != "" {
		return n.As
	}
	return n.Name
}

// Case is a test function, as often as its parameters say.
type Case struct {
	Name      string     `json:"name"` // the node id behind the file's: TestClass::test_method
	Line      int        `json:"line"` // of def
	Async     bool       `json:"async,omitempty"`
	Unittest  bool       `json:"unittest,omitempty"` // a method of a unittest.TestCase
	Marks     []Mark     `json:"marks,omitempty"`    // the closest first: function, class, module
	Container string     `json:"container,omitempty"`
	Fixtures  []string   `json:"fixtures,omitempty"` // asked for: arguments and usefixtures
	Params    []Instance `json:"params,omitempty"`   // nil: not parametrized, or nobody knows how
	Reasons   []Reason   `json:"reasons,omitempty"`  // what cannot be decided about this case
}

// Instance is a case with one set of parameters.
type Instance struct {
	ID        string `json:"id"`    // what pytest writes in brackets
	Known     bool   `json:"known"` // whether the id is; the number of instances always is
	Marks     []Mark `json:"marks,omitempty"`
	Container string `json:"container,omitempty"` // where it differs from the case's
}

// Mark is a pytest mark. Arguments are values of JSON, numbers of type
// [json.Number]; those that are no literals are [Opaque].
type Mark struct {
	Name   string         `json:"name"`
	Args   []any          `json:"args,omitempty"`
	Kwargs map[string]any `json:"kwargs,omitempty"`
	Line   int            `json:"line"`
}

// UnmarshalJSON reads numbers with all their digits, as they were written.
func (m *Mark) UnmarshalJSON(data []byte) error {
	type plain Mark
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode((*plain)(m))
}

// Opaque stands for an argument of a mark that is no literal.
const Opaque = "<not a literal>"

// Fixture is a pytest fixture.
type Fixture struct {
	Name     string   `json:"name"`
	Class    string   `json:"class,omitempty"` // the class it belongs to
	Line     int      `json:"line"`
	Autouse  bool     `json:"autouse,omitempty"`
	Params   bool     `json:"params,omitempty"` // multiplies the cases that use it, or may
	Fixtures []string `json:"fixtures,omitempty"`
}

// Hook is a function that pytest, or a test loader, calls by its name.
type Hook struct {
	Name string `json:"name"`
	Line int    `json:"line"`
}

// Plugin is a module that a file names in pytest_plugins.
type Plugin struct {
	Name string `json:"name"`
	Line int    `json:"line"`
}

// Carrier is a class that is, or may be, a unittest.TestCase. pytest collects
// those wherever they are imported, and under whatever name.
type Carrier struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	Base string `json:"base,omitempty"` // it is one if this class of another module is; "" = it is one
}

// Call is a call of a function of another module, when this one is imported.
type Call struct {
	Path  string `json:"path"` // dotted, with the dots of a relative import before it
	Line  int    `json:"line"`
	Class bool   `json:"class,omitempty"` // what comes out is bound to a name as classes have them
}

// Doubt is what a [Reason] leaves open.
type Doubt string

// Doubts, each of which includes those after it for the cases it is about.
const (
	Cases Doubt = "cases" // which cases there are
	Marks Doubt = "marks" // their marks, and so their container
	IDs   Doubt = "ids"   // the ids, and perhaps the number, of their parameters
)

// Reason says why something cannot be decided without running Python.
type Reason struct {
	Code  string `json:"code"` // one of the codes below
	Doubt Doubt  `json:"doubt"`
	File  string `json:"file,omitempty"` // where, if not in the file itself
	Line  int    `json:"line,omitempty"` // 1-based; 0 is the file or directory as a whole
	What  string `json:"what"`           // for people: "the decorator @retry"
}

// Codes of reasons.
const (
	CodeSyntax        = "syntax"         // no Python that can be read
	CodeStarImport    = "star_import"    // from module import *
	CodeImported      = "imported"       // an imported name that may be a test
	CodeComputed      = "computed"       // a test's name bound to a computed value
	CodeConditional   = "conditional"    // defined under an if, in a loop, a try, ...
	CodeDecorator     = "decorator"      // an unknown decorator
	CodeBase          = "base"           // a base class of another file
	CodeMetaclass     = "metaclass"      // a class that is not made by type
	CodeTouched       = "touched"        // a test that is changed after its definition
	CodeDynamic       = "dynamic"        // exec, globals(), setattr, ...
	CodeMaySkip       = "may_skip"       // pytest.importorskip, a raise: the module may be skipped
	CodeMark          = "mark"           // a mark that is computed
	CodeContainer     = "container"      // a container that is no literal, or several
	CodeParametrize   = "parametrize"    // parameters that are computed
	CodeFixtureParams = "fixture_params" // a fixture that may be parametrized
	CodeHook          = "hook"           // a hook that may change what is collected
	CodeYield         = "yield"          // a test with a yield, which versions of pytest treat differently
	CodePlugin        = "plugin"         // pytest_plugins
	CodeTooMany       = "too_many"       // more than this package counts
	CodeUnreadable    = "unreadable"     // a file or directory that cannot be read
	CodeOutside       = "outside"        // a symbolic link that leads out of the tree
	CodeOption        = "option"         // a setting of pytest that changes what is collected
	CodeDoctest       = "doctest"        // examples in a text file
)

// Decided reports whether nothing about the file as a whole leaves open d.
func (f *File) Decided(d Doubt) bool { return decided(f.Reasons, d) }

// Decided reports whether nothing leaves open d for the case; the file's own
// reasons count besides.
func (c *Case) Decided(d Doubt) bool { return decided(c.Reasons, d) }

func decided(reasons []Reason, d Doubt) bool {
	for _, r := range reasons {
		if r.Doubt.includes(d) {
			return false
		}
	}
	return true
}

// includes reports whether what d leaves open makes other unknown as well.
func (d Doubt) includes(other Doubt) bool { return d == Cases || d == other }

// IDs are the node ids of the case behind the file's, without the doubtful.
// It is only complete if the case is Decided about Cases and IDs.
func (c *Case) IDs() []string {
	if c.Params == nil {
		return []string{c.Name}
	}
	var all []string
	for _, p := range c.Params {
		if p.Known {
			all = append(all, c.Name+"["+p.ID+"]")
		}
	}
	return all
}
