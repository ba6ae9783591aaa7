package pyscan

import (
	"fmt"
	"strings"
	"unicode"
)

// ini is a file of sections with names and values.
type ini map[string]map[string]string

// iniLine is a line as iniconfig reads it.
type iniLine struct {
	section, name, value string
	kind                 byte // 's' section, 'v' value, 'c' continuation, 0 nothing
}

// parseIni reads a file by the rules of the package iniconfig, which pytest
// uses. Why not a library? Those for Go take quotes off, or read comments behind
// values, or know no value of several lines by indentation, and each of these
// changes what pytest sees.
func parseIni(text string) (ini, *problem) {
	sections := ini{}
	var current map[string]string
	last := ""
	number := 0
	for raw := range strings.SplitAfterSeq(strings.TrimPrefix(text, utf8BOM), "\n") {
		number++
		l, fault := parseIniLine(raw)
		switch {
		case fault != "":
			return nil, &problem{number, fault}
		case l.kind == 's' && l.section == "":
			return nil, &problem{number, "empty section name"}
		case l.kind == 's' && sections[l.section] != nil:
			return nil, &problem{number, fmt.Sprintf("duplicate section %q", l.section)}
		case l.kind == 's':
			current, last = map[string]string{}, ""
			sections[l.section] = current
		case l.kind == 0:
		case current == nil:
			return nil, &problem{number, "no section header defined"}
		case l.kind == 'c' && last == "":
			return nil, &problem{number, "unexpected value continuation"}
		case l.kind == 'c':
			current[last] = strings.TrimPrefix(current[last]+"\n"+l.value, "\n")
		default:
			if _, twice := current[l.name]; twice {
				return nil, &problem{number, fmt.Sprintf("duplicate name %q", l.name)}
			}
			last = l.name
			current[last] = l.value
		}
	}
	return sections, nil
}

// parseIniLine reads one line.
func parseIniLine(raw string) (l iniLine, fault string) {
	text := strings.TrimSpace(raw)
	switch {
	case text == "" || text[0] == '#' || text[0] == ';':
		return l, ""
	case raw[0] == '[':
		before := strings.TrimSpace(raw[:strings.IndexAny(raw+"#", "#;")])
		if strings.HasSuffix(before, "]") {
			return iniLine{kind: 's', section: before[1 : len(before)-1]}, ""
		}
		return iniLine{kind: 'c', value: text}, ""
	case unicode.IsSpace([]rune(raw)[0]):
		return iniLine{kind: 'c', value: text}, ""
	}
	name, value, found := strings.Cut(text, "=")
	if !found || strings.Contains(name, ":") {
		if name, value, found = strings.Cut(text, ":"); !found {
			return l, fmt.Sprintf("unexpected line: %q", text)
		}
	}
	return iniLine{kind: 'v', name: strings.TrimSpace(name), value: strings.TrimSpace(value)}, ""
}
