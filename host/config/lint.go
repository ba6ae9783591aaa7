package config

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Files stands in commands of linters for the files that they are to look at.
const Files = "{files}"

// Linter is one table [lint.NAME].
type Linter struct {
	Run       Command      `toml:"run" doc:"What looks at files, in the project's directory of a container that can write nothing of the workspace and reaches no network: a line for sh, or a list of words that no shell sees. {files} stands for the files, as paths from the project."`
	Fix       Command      `toml:"fix" doc:"What mends files, for wr lint --fix. It gets a copy of the project to write to; what differs in the files that it was given is taken over."`
	Files     []string     `toml:"files" doc:"Which files of the project, as globs such as **/*.py. One that begins with ! takes files out again."`
	Inputs    []string     `toml:"inputs" doc:"Which other files decide what is said, as globs from the project, or with a / first from the root. Default: in the directory of a file and in each above it, all that files does not match."`
	Container string       `toml:"container" doc:"In whose container it runs: that of another project, by its name or workspace path, or of one of [images]. Default: the project itself."`
	Output    LinterOutput `toml:"output" doc:"How to read what run has printed."`
	Whole     Switch       `toml:"whole" doc:"Files are judged together: all of the project in one call, whatever few have been asked for. Default: false, what is said of a file depends on it and on the inputs."`
	Enabled   Switch       `toml:"enabled" doc:"Whether it is used. Default: true."`
}

// LinterOutput is the table output of a Linter.
type LinterOutput struct {
	Format   string  `toml:"format" enum:"exit,list,regex,sarif,checkstyle,diff" doc:"exit: its exit code says all, and files go to it one by one; list: it prints the path of each file that is not as it should be, one a line; diff: it prints a unified diff of what files should be; regex, sarif, checkstyle: as named. Default: exit."`
	Pattern  string  `toml:"pattern" doc:"For regex, in the syntax of RE2 with groups named file, line, column, end_line, end_column, rule, severity and message. Without file, files go to it one by one."`
	Stream   string  `toml:"stream" enum:"stdout,stderr" doc:"Where it prints that. Default: stdout."`
	Rule     string  `toml:"rule" doc:"Rule of what comes without. Default: the linter's name."`
	Message  string  `toml:"message" doc:"Message of what comes without."`
	Severity string  `toml:"severity" enum:"error,warning,info" doc:"Severity of what comes without. Default: error."`
	Clean    []int64 `toml:"clean" doc:"Exit codes that mean: it worked and found nothing. Default: 0."`
	Found    []int64 `toml:"found" doc:"Exit codes that mean: it worked and found something. Default: 1. With any other one it is broken."`
}

// Switch is true or false, or not said.
type Switch struct {
	On    bool
	Given bool
}

func (*Switch) forms() []reflect.Type { return []reflect.Type{boolForm} }

func (s *Switch) read(form any) error { //nolint:unparam // as all that is written
	*s = Switch{form.(bool), true}
	return nil
}

func (s *Switch) plain() any { return s.On }

// Or is s if it is given, else fallback.
func (s Switch) Or(fallback bool) bool {
	if s.Given {
		return s.On
	}
	return fallback
}

// Over is l with what it leaves open as base has it.
func (l Linter) Over(base Linter) Linter {
	for _, c := range []struct{ own, other *Command }{{&l.Run, &base.Run}, {&l.Fix, &base.Fix}} {
		if c.own.Empty() {
			*c.own = *c.other
		}
	}
	if l.Files == nil {
		l.Files = base.Files
	}
	if l.Inputs == nil {
		l.Inputs = base.Inputs
	}
	setDefault(&l.Container, base.Container)
	if reflect.ValueOf(l.Output).IsZero() {
		l.Output = base.Output
	}
	for _, s := range []struct{ own, other *Switch }{{&l.Whole, &base.Whole}, {&l.Enabled, &base.Enabled}} {
		if !s.own.Given {
			*s.own = *s.other
		}
	}
	return l
}

// checkLinters checks every linter by itself. What is missing can only be said
// when it is known what it has from the root.
func (d *decoder) checkLinters(linters map[string]Linter) {
	for _, name := range slices.Sorted(maps.Keys(linters)) {
		at, l := join("lint", name), linters[name]
		if !nameShape().MatchString(name) {
			d.refuse(at, "%q is not letters, digits and . _ -", name)
		}
		d.filled(join(at, "container"), l.Container)
		for i, glob := range l.Files {
			d.checkGlob(element(join(at, "files"), i), strings.TrimPrefix(glob, "!"))
		}
		for i, glob := range l.Inputs {
			d.checkGlob(element(join(at, "inputs"), i), strings.TrimPrefix(glob, "/"))
		}
		d.checkOutput(join(at, "output"), l.Output)
	}
}

// checkGlob refuses a glob that is none or that leaves its directory.
func (d *decoder) checkGlob(at, glob string) {
	d.inside(at, glob)
	if d.given(at) && !doublestar.ValidatePattern(glob) {
		d.refuse(at, "%q is not a valid glob", glob)
	}
}

// checkOutput checks that the parts of a table output agree.
func (d *decoder) checkOutput(at string, o LinterOutput) {
	pattern, format := join(at, "pattern"), join(at, "format")
	switch {
	case d.bad[pattern] || d.bad[format]:
	case o.Format == "regex" && o.Pattern == "":
		d.refuse(format, "regex needs a pattern")
	case o.Format != "regex" && o.Pattern != "":
		d.refuse(pattern, `is for format = "regex"`)
	case o.Pattern != "":
		if _, err := regexp.Compile(o.Pattern); err != nil {
			d.refuse(pattern, "%v", err)
		}
	}
	for key, codes := range map[string][]int64{"clean": o.Clean, "found": o.Found} {
		for i, code := range codes {
			if one := element(join(at, key), i); d.given(one) && (code < 0 || code > 255) {
				d.refuse(one, "%d is no exit code", code)
			}
		}
	}
}
