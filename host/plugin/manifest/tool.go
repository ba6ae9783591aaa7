package manifest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/sdk/go/abi"
)

// formats are those that a tool's output can have.
var formats = []string{"regex", "sarif", "checkstyle", "diff", "list", "exit"}

// groups are those that a pattern for output can have.
var groups = []string{"file", "line", "column", "end_line", "end_column", "rule", "severity", "message"}

// tool checks how a program is called that knows nothing of wr.
func (j judge) tool() {
	p := j.m.Provides
	if len(p.Tasks)+len(p.Checks)+len(p.Events) > 0 || p.Discover || p.Release || p.Image {
		j.Refuse("provides", "", "a tool provides lint and format and nothing else")
	}
	t := j.m.Tool
	if t == nil {
		j.Refuse("tool", "", "is missing: how is the program called?")
		return
	}
	if p.Format != nil && len(t.FixArgs) == 0 && t.Output.Format != "diff" {
		j.Refuse("tool.fix_args", "", `is missing: format needs it, or output.format = "diff"`)
	}
	if t.Root != "" {
		j.oneOf("tool.root", t.Root, abi.Source, "/")
	}
	if len(t.Args)+len(t.FixArgs) == 0 && j.Sound("tool.args") {
		j.Refuse("tool.args", "", "is missing: how is the program called?")
	}
	j.args("tool.args", t.Args, p.Lint)
	j.args("tool.fix_args", t.FixArgs, p.Format)
	j.output("tool.output", t.Output)
	if t.Failure != nil {
		j.output("tool.failure", *t.Failure)
	}
}

// files is what stands for the files of a call.
const files = "{files}"

// args checks arguments by which a tool gets the files that provided says.
func (j judge) args(at string, args []string, provided *abi.Files) {
	for i, arg := range j.few(at, args) {
		if arg != files && strings.Contains(arg, files) {
			j.Refuse(config.Element(at, i), "", "%q: %s has to be a word of its own, since there can be many", arg, files)
			return
		}
	}
	whole := provided != nil && provided.Whole
	if len(args) > 0 && !whole && !slices.Contains(args, files) {
		j.Refuse(at, "", "has no %s, and what it provides is not whole", files)
	}
}

// output checks how output of a tool is read.
func (j judge) output(at string, o abi.Matcher) {
	j.oneOf(config.Below(at, "format"), o.Format, formats...)
	if o.Stream != "" {
		j.oneOf(config.Below(at, "stream"), o.Stream, "stdout", "stderr")
	}
	if o.Severity != "" {
		j.oneOf(config.Below(at, "severity"), o.Severity, string(abi.SeverityError), string(abi.SeverityWarning), string(abi.SeverityInfo))
	}
	if f := j.m.Provides.Lint; o.Format == "exit" && f != nil && f.Whole {
		j.Refuse(config.Below(at, "format"), "", "does not say which file something was found in, and provides.lint is whole")
	}
	j.text(config.Below(at, "rule"), o.Rule, false)
	j.text(config.Below(at, "message"), o.Message, false)
	j.pattern(config.Below(at, "pattern"), o)
	for name, codes := range map[string][]int{"clean": o.Clean, "found": o.Found} {
		if slices.ContainsFunc(codes, func(c int) bool { return c < 0 || c > 255 }) {
			j.Refuse(config.Below(at, name), "", "an exit code is between 0 and 255")
		}
	}
	if i := slices.IndexFunc(o.Found, func(c int) bool { return slices.Contains(o.Clean, c) }); i >= 0 {
		j.Refuse(config.Below(at, "found"), "", "%d is in clean as well", o.Found[i])
	}
}

// pattern checks the regular expression that output is read with.
func (j judge) pattern(at string, o abi.Matcher) {
	if o.Format != "regex" {
		if o.Pattern != "" {
			j.Refuse(at, "", `is for format = "regex"`)
		}
		return
	}
	re, err := regexp.Compile(o.Pattern)
	if err != nil {
		j.Refuse(at, "", "%v", err)
		return
	}
	for _, name := range re.SubexpNames() {
		if name != "" {
			j.oneOf(at, name, groups...)
		}
	}
	if !slices.Contains(re.SubexpNames(), "file") {
		j.Refuse(at, "", "has no group (?P<file>...)")
	}
	if !slices.Contains(re.SubexpNames(), "message") && o.Message == "" {
		j.Refuse(at, "", "has no group (?P<message>...), and there is no message")
	}
}
