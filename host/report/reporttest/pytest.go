package reporttest

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// PlainArgs are what plain pytest needs to leave a report at a path that OfPytest
// can read. wr's plugin, which people find installed in wr's containers, is off.
func PlainArgs(junit string) []string {
	return []string{"-p", "no:wr_pytest", "-p", "no:cacheprovider", "-v", "-rXR", "-o", "junit_family=xunit1", "--junitxml=" + junit}
}

// rootLine is where pytest says which directory names begin at.
var rootLine = regexp.MustCompile(`(?m)^rootdir: (.+?)(?:, (?:inifile|configfile|testpaths):.*)?\r?$`)

// OfPytest are the cases that plain pytest with PlainArgs has reported, of a
// workspace that it saw at that path. output is what it printed.
func OfPytest(junit, output []byte, workspace string) ([]Case, error) {
	suites, err := parse(junit)
	if err != nil {
		return nil, err
	}
	base, err := rootdir(output, workspace)
	if err != nil {
		return nil, err
	}
	unexpected, again, all := ofSummary(output, "XPASS "), ofSummary(output, "RERUN "), []Case{}
	reruns := map[string]int{}
	for _, s := range suites {
		for _, e := range s.Cases {
			if e.Class == "" && e.Name == "" {
				continue // it has begun, and pytest has ended before it
			}
			e.Name = unescaped(e.Name)
			c, err := e.read(base, base)
			if err != nil {
				return nil, err
			}
			if c.Outcome == passed && unexpected.count(e) > 0 {
				c.Outcome = xpassed
			}
			all, reruns[c.ID] = with(all, c), again.count(e)
		}
	}
	return last(all, reruns), nil
}

// last is all without what is told of attempts of cases that pytest-rerunfailures
// has run again. Some versions of it have those in the report, as passed.
func last(all []Case, reruns map[string]int) []Case {
	more := map[string]int{}
	for _, c := range all {
		more[c.ID]++
	}
	return slices.DeleteFunc(all, func(c Case) bool {
		if reruns[c.ID] == 0 || more[c.ID] == 1 {
			return false
		}
		reruns[c.ID]--
		more[c.ID]--
		return true
	})
}

// rootdir is the directory of the workspace that names begin at.
func rootdir(output []byte, workspace string) (string, error) {
	said := rootLine.FindSubmatch(output)
	if said == nil {
		return "", fmt.Errorf("pytest does not say its rootdir:\n%.2000s", output)
	}
	base, err := filepath.Rel(workspace, string(said[1]))
	if err != nil || !filepath.IsLocal(base) {
		return "", fmt.Errorf("pytest's rootdir %s is not in the workspace %s", said[1], workspace)
	}
	return base, nil
}

// with is all with c. A case that has failed, and then its teardown, is one case
// of wr, and pytest tells of it twice: under xdist with others in between.
func with(all []Case, c Case) []Case {
	if c.Outcome == untidy && slices.Contains(all, Case{c.ID, failed}) {
		return all
	}
	return append(all, c)
}

// escaped is how pytest before 8 writes what it takes for no character of XML.
var escaped = regexp.MustCompile(`#x1?[0-9A-F]{5}`)

func unescaped(name string) string {
	return escaped.ReplaceAllStringFunc(name, func(code string) string {
		r, _ := strconv.ParseInt(code[2:], 16, 32)
		return string(rune(r))
	})
}

// summary are the lines of pytest's summary that begin with a word, without it: node
// id, and mostly a reason.
type summary []string

func ofSummary(output []byte, word string) summary {
	var all summary
	for line := range strings.Lines(string(output)) {
		if rest, found := strings.CutPrefix(strings.TrimRight(line, "\r\n"), word); found {
			all = append(all, rest)
		}
	}
	return all
}

// count is how many of the lines are about e.
func (s summary) count(e element) int {
	n := 0
	for _, line := range s {
		if about(line, e) {
			n++
		}
	}
	return n
}

// about reports whether a line begins with the node id of e.
func about(line string, e element) bool {
	file, rest, found := strings.Cut(line, ".py::")
	if !found {
		return false
	}
	class := strings.ReplaceAll(file, "/", ".")
	for i := range len(rest) + 1 {
		if (i == len(rest) || rest[i] == ' ') && named(class, rest[:i]) == [2]string{e.Class, e.Name} {
			return true
		}
	}
	return false
}

// named is class and name of a case, as JUnit has them, from the module and what
// follows it in the node id.
func named(module, rest string) [2]string {
	head, params, hasParams := strings.Cut(rest, "[")
	if hasParams {
		params = "[" + params
	}
	parts := strings.Split(head, "::")
	last := len(parts) - 1
	return [2]string{strings.Join(append([]string{module}, parts[:last]...), "."), parts[last] + params}
}
