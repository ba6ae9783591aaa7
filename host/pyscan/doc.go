// Package pyscan finds pytest's tests in Python files without Python: nothing is
// imported, nothing runs, and no container is needed.
//
// [Scan] reads one file: imports, test cases with their marks, ids of parameters
// and containers, fixtures, hooks. What it returns is a plain value that depends
// on the file and the rules alone, so it can be kept by content. [Configure] finds
// pytest's settings as pytest does, and [Discover] puts both together for a
// directory: it finds the files, reads them and brings in what conftest files and
// imported modules of the workspace say about them.
//
// The contract is that nothing is wrong silently. What only Python can know is a
// [Reason] with its line, and a [Doubt] that says what it leaves open: which cases
// there are, which marks they have, or which ids. Whatever is open the caller has
// to collect where the tests run. Without a reason, what is told is what pytest
// collects; a test compares the two.
//
// That contract rests on what no file of the workspace can tell:
//   - installed plugins neither add nor drop cases, marks or parameters;
//   - a function or class of an installed package that is called or imported by a
//     module is no test, unless its name says so, and skips nothing;
//   - the module can be imported: one that fails is an error that pytest reports.
//
// Rules in which versions of pytest from 7.2 to 9.2 differ are reasons as well.
// Only the settings of pytest 9 in TOML are read whatever the version is. A mark
// of a parameter is closer than one of the function; pytest's own
// get_closest_marker returns the latter.
//
// Why an own parser? The one for Go that is written for Python reads version 3.4.
// Grammars of tree-sitter, translated to Go, read all of today's Python, but are
// made for editors: they mend wrong input by guessing, and bring a hundred times
// the code. This package needs few statements, and of expressions only literals
// and names. Its tokens follow section 2 of the language reference (PEP 701 for
// f-strings), and the test compares all of the standard library with CPython's own
// syntax tree. All passes are linear in the size of the file, and recursion is
// bounded as CPython bounds it: by 100 blocks and 200 brackets.
//
// Functions of this package may be used from several goroutines. A [Tree] and its
// files belong to whoever has them.
package pyscan
