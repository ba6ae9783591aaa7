package deps

import (
	"slices"
	"strings"
)

// declared is what a project declares, in all its files.
type declared struct {
	project string
	name    string // of the project's own distribution
	dynamic bool   // a pyproject.toml leaves its dependencies to something else
	broken  bool   // one cannot be read
	files   []string
	all     []Dependency
}

// within is a path from the project.
func (d *declared) within(name string) string { return strings.TrimPrefix(name, d.project+"/") }

// elsewhere says whether dependencies are declared where they cannot be seen.
func (d *declared) elsewhere() bool { return d.dynamic && len(d.files) == 1 }

// groups are those for which one of some distributions is declared.
func (d *declared) groups(names []string) []Group {
	var found []Group
	for _, dep := range d.all {
		if slices.Contains(names, normal(dep.Name)) {
			found = append(found, dep.Group)
		}
	}
	if d.name != "" && slices.Contains(names, normal(d.name)) {
		found = append(found, Main)
	}
	return found
}

// developing are words that say that a group is for those who work on a project.
var developing = []string{"dev", "devel", "develop", "development", "test", "tests", "testing", "lint", "linting", "docs", "doc", "typing", "types", "ci", "bench"}

// forDev says whether a name, or path, is one of a group for development: "requirements-dev".
func forDev(name string, config Config) bool {
	if slices.Contains(config.DevGroups, name) {
		return true
	}
	return slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return strings.ContainsRune("-_./ ", r)
	}), func(word string) bool { return slices.Contains(developing, word) })
}
