package inputs

import (
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

// filter is a list of patterns; nil stands for none.
type filter struct {
	matcher *patternmatcher.PatternMatcher
	// inside are the patterns that can turn the answer for a directory into
	// another one for something below it, split at the separators.
	inside [][]string
}

// verdict is what a filter says of a path, to be handed on to what is below it.
type verdict struct {
	yes  bool
	info patternmatcher.MatchInfo
}

// newFilter prepares a filter. What matters below a directory that does not
// match are the patterns, and below one that does, the exceptions.
func newFilter(m *patternmatcher.PatternMatcher, exceptions bool) *filter {
	if m == nil {
		return nil
	}
	f := &filter{matcher: m}
	for _, p := range m.Patterns() {
		if p.Exclusion() == exceptions {
			f.inside = append(f.inside, strings.Split(p.String(), string(filepath.Separator)))
		}
	}
	return f
}

// match decides on rel, given the answer for the directory above; missing is
// the answer of no filter.
func (f *filter) match(rel string, above verdict, missing bool) (verdict, error) {
	if f == nil {
		return verdict{yes: missing}, nil
	}
	if above.yes && !f.matcher.Exclusions() {
		return above, nil
	}
	yes, info, err := f.matcher.MatchesUsingParentResults(rel, above.info)
	return verdict{yes: yes, info: info}, err
}

// mayHold reports whether something below the directory rel may get another
// answer than rel itself. Walking everything would find the same files; this
// only keeps the walk out of trees that no pattern can reach.
func (f *filter) mayHold(rel string) bool {
	dir := strings.Split(rel, string(filepath.Separator))
	for _, pattern := range f.inside {
		if reaches(pattern, dir) {
			return true
		}
	}
	return false
}

// reaches reports whether pattern may match a path below dir.
func reaches(pattern, dir []string) bool {
	for i, name := range dir {
		if i == len(pattern) {
			return false
		}
		if strings.Contains(pattern[i], "**") {
			return true
		}
		if !mayMatch(pattern[i], name) {
			return false
		}
	}
	return len(pattern) > len(dir)
}

// mayMatch reports whether one segment of a pattern may match a name. Classes
// and escapes are the matcher's business.
func mayMatch(segment, name string) bool {
	if strings.ContainsAny(segment, `[]\^`) {
		return true
	}
	ok, err := filepath.Match(segment, name)
	return ok || err != nil
}
