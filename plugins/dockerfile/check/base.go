package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/buildkit/util/suggest"
)

// targetPlatform is the argument that a FROM goes by when it says nothing.
const targetPlatform = "TARGETPLATFORM"

// arguments are what FROM may use: those that are always there, and those that
// were declared before the first FROM, with their defaults.
type arguments struct {
	lex      *shell.Lex
	values   map[string]string
	declared map[string]bool
}

func newArguments(escape rune, args []instructions.ArgCommand) *arguments {
	a := &arguments{lex: shell.NewLex(escape), declared: map[string]bool{}, values: map[string]string{
		"BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDOSVERSION": "", "BUILDARCH": "amd64", "BUILDVARIANT": "",
		targetPlatform: "linux/amd64", "TARGETOS": "linux", "TARGETOSVERSION": "", "TARGETARCH": "amd64", "TARGETVARIANT": "",
		"TARGETSTAGE": "default",
	}}
	for name := range a.values {
		a.declared[name] = true
	}
	for _, command := range args {
		for _, arg := range command.Args {
			a.declare(arg)
		}
	}
	return a
}

func (a *arguments) declare(arg instructions.KeyValuePairOptional) {
	a.declared[arg.Key] = true
	if arg.Value == nil {
		return
	}
	// A value that cannot be read is one that BuildKit says the same of.
	if expanded, err := a.expand(*arg.Value); err == nil {
		a.values[arg.Key] = expanded.Result
	}
}

func (a *arguments) expand(text string) (shell.ProcessWordResult, error) {
	return a.lex.ProcessWordWithMatches(text, a)
}

// Get is for the lexer.
func (a *arguments) Get(name string) (string, bool) {
	value, found := a.values[name]
	return value, found
}

// Keys is for the lexer.
func (a *arguments) Keys() []string { return slices.Sorted(maps.Keys(a.values)) }

// bases judges what stages are made from.
func bases(lint *linter.Linter, args *arguments, stages []instructions.Stage) {
	for _, s := range stages {
		image, err := args.expand(s.BaseName)
		if err != nil {
			continue
		}
		if _, err := reference.ParseNormalizedNamed(image.Result); err != nil {
			rule := &linter.RuleInvalidDefaultArgInFrom
			lint.Run(rule, s.Location, rule.Format(s.BaseName))
		}
		lint := lint.WithMergedConfigFromComments(s.Comments)
		args.undeclared(lint, s, image)
		if s.Platform != "" {
			platform(lint, args, s)
		}
	}
}

// undeclared tells of arguments that a FROM uses and nobody declares.
func (a *arguments) undeclared(lint *linter.Linter, s instructions.Stage, used shell.ProcessWordResult) {
	for _, name := range slices.Sorted(maps.Keys(used.Unmatched)) {
		if rule := &linter.RuleUndefinedArgInFrom; !a.declared[name] {
			meant, _ := suggest.Search(name, slices.Sorted(maps.Keys(a.declared)), true)
			lint.Run(rule, s.Location, rule.Format(name, meant))
		}
	}
}

// platform judges a FROM's --platform.
func platform(lint *linter.Linter, args *arguments, s instructions.Stage) {
	used, err := args.expand(s.Platform)
	args.undeclared(lint, s, used)
	if err != nil {
		return
	}
	matched := slices.Collect(maps.Keys(used.Matched))
	switch {
	case len(used.Unmatched) > 0:
	case len(matched) == 0:
		constant(lint, s, used.Result)
	case slices.Equal(matched, []string{targetPlatform}) && used.Result == args.values[targetPlatform]:
		rule := &linter.RuleRedundantTargetPlatform
		lint.Run(rule, s.Location, rule.Format(s.Platform))
	}
}

// constant tells of a platform that cannot be chosen, unless the stage's name says
// that it is for that platform.
func constant(lint *linter.Linter, s instructions.Stage, platform string) {
	parts := strings.Split(platform, "/")
	if slices.ContainsFunc(parts[:min(2, len(parts))], func(part string) bool { return strings.Contains(s.Name, part) }) {
		return
	}
	rule := &linter.RuleFromPlatformFlagConstDisallowed
	lint.Run(rule, s.Location, rule.Format(platform))
}
