// Package check judges a Dockerfile by BuildKit's own parser and rules: what it
// says is what `docker build --check` says, with the same names and texts.
//
// It sees one file and nothing else. So it leaves out the rules that need more:
// UndefinedVar, WorkdirRelativePath and InvalidBaseImagePlatform depend on the
// base image, CopyIgnoredFile on the build context. For the same reason it takes
// base images to have no SHELL of their own, and judges ports and platforms that
// are computed only as far as the file tells.
package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Rules of what is no rule of BuildKit's.
const (
	ruleParse     = "ParseError"     // BuildKit would not build it
	ruleDirective = "CheckDirective" // a "# check=" that cannot be read
	ruleFrontend  = "Frontend"       // another frontend reads this file
)

// Config says which rules there are for files that do not say it by "# check=".
type Config struct {
	Skip         []string `json:"skip"`         // "all" is all
	Experimental []string `json:"experimental"` // "all" is all
	Error        bool     `json:"error"`        // what is found is an error
}

// File returns what is to be said of one Dockerfile, sorted by place.
func File(name string, src []byte, config Config) []abi.Diagnostic {
	f := &file{name: name, lines: bytes.Split(src, []byte("\n")), severity: abi.SeverityWarning}
	f.lint = linter.New(config.options(f.warn))
	if frontend, _, at, found := parser.DetectSyntax(src); found && !ownFrontend(frontend) {
		f.say(ruleFrontend, abi.SeverityInfo, "not checked: this file is for the frontend "+frontend, at)
		return f.said
	}
	f.directive(src)
	if config.Error {
		f.severity = abi.SeverityError
	}
	if err := f.check(src); err != nil {
		f.fail(err)
	}
	slices.SortStableFunc(f.said, func(a, b abi.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Range.Start.Line, b.Range.Start.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return f.said
}

// options are those of BuildKit's linter.
func (c Config) options(warn linter.LintWarnFunc) *linter.Config {
	return &linter.Config{
		SkipAll: slices.Contains(c.Skip, "all"), SkipRules: c.Skip,
		ExperimentalAll: slices.Contains(c.Experimental, "all"), ExperimentalRules: c.Experimental,
		Warn: warn,
	}
}

// ownFrontend says whether a "# syntax=" names a release of BuildKit's own frontend.
func ownFrontend(image string) bool {
	ref, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return false
	}
	name := reference.FamiliarName(ref)
	return name == "docker/dockerfile" || name == "docker/dockerfile-upstream"
}

// file is a Dockerfile that is being judged.
type file struct {
	name     string
	lines    [][]byte
	lint     *linter.Linter
	severity abi.Severity // of what breaks a rule
	said     []abi.Diagnostic
}

// directive reads the file's own options: they come on top of the config.
func (f *file) directive(src []byte) {
	text, _, at, _ := parser.ParseDirective("check", src)
	own, err := linter.ParseLintOptions(text)
	if err != nil {
		f.say(ruleDirective, abi.SeverityError, err.Error(), at)
		return
	}
	f.lint = f.lint.WithMergedConfig(own)
	if own.ReturnAsError {
		f.severity = abi.SeverityError
	}
}

// check lets all rules judge; an error is one because of which nothing is built.
func (f *file) check(src []byte) error {
	parsed, err := parser.Parse(bytes.NewReader(src))
	if err != nil {
		return err
	}
	for _, w := range parsed.Warnings {
		if rule := &linter.RuleNoEmptyContinuation; w.URL == rule.URL {
			f.lint.Run(rule, []parser.Range{*w.Location}, rule.Format())
		}
	}
	stages, args, err := instructions.Parse(parsed.AST, f.lint)
	if err != nil {
		return err
	}
	if len(stages) == 0 {
		return errors.New("dockerfile contains no stages to build")
	}
	names(f.lint, stages)
	casing(f.lint, stages)
	bases(f.lint, newArguments(parsed.EscapeToken, args), stages)
	commands(f.lint, stages)
	return nil
}

// warn is what BuildKit's linter calls.
func (f *file) warn(rule, _, url, message string, at []parser.Range) {
	f.say(rule, f.severity, message, at)
	f.said[len(f.said)-1].URL = url
}

// fail tells why nothing is built.
func (f *file) fail(err error) {
	var at []parser.Range
	if e, ok := errors.AsType[*parser.LocationError](err); ok {
		at = slices.Concat(e.Locations...)
	}
	message, _, _ := strings.Cut(err.Error(), "\n")
	f.say(ruleParse, abi.SeverityError, message, at)
}

func (f *file) say(rule string, severity abi.Severity, message string, at []parser.Range) {
	f.said = append(f.said, abi.Diagnostic{File: f.name, Range: f.whole(at), Severity: severity, Rule: rule, Message: message})
}

// whole are the lines of some ranges: BuildKit knows no columns.
func (f *file) whole(ranges []parser.Range) abi.Range {
	if len(ranges) == 0 || ranges[0].Start.Line == 0 {
		return abi.Range{}
	}
	first, last := ranges[0].Start.Line, 0
	for _, r := range ranges {
		first, last = min(first, r.Start.Line), max(last, r.End.Line)
	}
	last = min(max(first, last), len(f.lines))
	end := len(bytes.TrimRight(f.lines[last-1], "\r")) + 1
	return abi.Range{Start: abi.Position{Line: first, Column: 1}, End: abi.Position{Line: last, Column: end}}
}

// Valid says what of a config cannot be meant.
func (c Config) Valid() error {
	for _, rule := range slices.Concat(c.Skip, c.Experimental) {
		if strings.ContainsAny(rule, " ,;=") || rule == "" {
			return fmt.Errorf("%q is no name of a rule", rule)
		}
	}
	return nil
}
