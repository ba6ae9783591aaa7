package pyscan

import (
	"regexp"
	"strings"
)

// Rules say what pytest takes for a test.
type Rules struct {
	Functions []string // python_functions: prefixes or globs; nil = test
	Classes   []string // python_classes: prefixes or globs; nil = Test
}

// patterns are [Rules] ready for use.
type patterns struct{ functions, classes []pattern }

func (r Rules) patterns() patterns {
	p := patterns{functions: prefixes("test"), classes: prefixes("Test")}
	if r.Functions != nil {
		p.functions = prefixes(r.Functions...)
	}
	if r.Classes != nil {
		p.classes = prefixes(r.Classes...)
	}
	return p
}

// function reports whether a function of this name is a test.
func (p patterns) function(name string) bool { return matches(p.functions, name) }

// class reports whether a class of this name holds tests.
func (p patterns) class(name string) bool { return matches(p.classes, name) }

// either reports whether something of this name may be a test.
func (p patterns) either(name string) bool { return p.function(name) || p.class(name) }

// pattern is an option such as python_functions: a prefix, and perhaps a glob.
type pattern struct {
	prefix string
	glob   *regexp.Regexp
}

// prefixes reads options as pytest does: each is a prefix, and one with
// wildcards is a glob as well.
func prefixes(options ...string) []pattern {
	all := make([]pattern, len(options))
	for i, option := range options {
		all[i].prefix = option
		if strings.ContainsAny(option, "*?[") {
			all[i].glob = fnmatch(option)
		}
	}
	return all
}

func matches(all []pattern, name string) bool {
	for _, p := range all {
		if strings.HasPrefix(name, p.prefix) || p.glob != nil && p.glob.MatchString(name) {
			return true
		}
	}
	return false
}

// fnmatch turns a pattern of Python's fnmatch into a regular expression: its
// wildcards match slashes too, and "!" negates a class.
func fnmatch(glob string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteString(`.`)
		case '[':
			if class, used := characterClass(glob[i:]); used > 0 {
				b.WriteString(class)
				i += used - 1
				continue
			}
			b.WriteString(`\[`)
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil { // a range that runs backwards matches nothing
		return regexp.MustCompile(`[^\s\S]`)
	}
	return re
}

// characterClass turns what stands in brackets into a class of a regular
// expression; used is 0 where the bracket is never closed.
func characterClass(glob string) (class string, used int) {
	body := strings.TrimPrefix(glob[1:], "!")
	if len(body) < 2 {
		return "", 0
	}
	end := strings.IndexByte(body[1:], ']') + 1 // a bracket that comes first stands for itself
	if end == 0 {
		return "", 0
	}
	negated := ""
	if glob[1] == '!' {
		negated = "^"
	}
	inner := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(body[:end])
	return "[" + negated + inner + "]", 1 + len(negated) + end + 1
}
