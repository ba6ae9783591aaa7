package deps

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/wr-build/wr/host/pyscan"
)

// separators are what PEP 503 takes for the same in names of distributions.
var separators = regexp.MustCompile(`[-_.]+`)

// normal is the name of a distribution as PEP 503 compares it.
func normal(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}

// requirementName is how a requirement of PEP 508 begins.
var requirementName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`)

// nameOf is the name in a requirement: "requests[socks] >= 2; python_version > '3'".
// "" is that of one that has none.
func nameOf(requirement string) string {
	return requirementName.FindString(strings.TrimSpace(requirement))
}

// providers are the normal names of distributions that may have what is imported,
// the likeliest first. A module is that of the config or of a well-known
// distribution, else one that is called like its distribution; of several words,
// as packages of one namespace are: google.cloud.storage is google-cloud-storage.
func (c Config) providers(i pyscan.Import) []string {
	var known, alike []string
	for _, dotted := range names(i) {
		for parts := strings.Split(dotted, "."); len(parts) > 0; parts = parts[:len(parts)-1] {
			module := strings.Join(parts, ".")
			for _, name := range slices.Concat(c.Modules[module], distributions[module]) {
				known = append(known, normal(name))
			}
			alike = append(alike, normal(module))
		}
	}
	slices.SortStableFunc(alike, func(a, b string) int { return len(a) - len(b) })
	return unique(slices.Concat(known, alike))
}

// names are the modules that an import may be of.
func names(i pyscan.Import) []string {
	all := []string{i.Module}
	for _, n := range i.Names {
		if n.Name != "*" {
			all = append(all, i.Module+"."+n.Name)
		}
	}
	return all
}

func unique(all []string) []string {
	var kept []string
	for _, one := range all {
		if !slices.Contains(kept, one) {
			kept = append(kept, one)
		}
	}
	return kept
}

// ignores says whether nothing is to be said of a module or distribution.
func (c Config) ignores(name string) bool {
	return slices.ContainsFunc(c.Ignore, func(one string) bool { return normal(one) == normal(name) })
}

func matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		matched, err := doublestar.Match(glob, name)
		return matched && err == nil
	})
}

// Valid says what of a config cannot be meant.
func (c Config) Valid() error {
	for _, glob := range c.DevFiles {
		if !doublestar.ValidatePattern(glob) {
			return fmt.Errorf("dev_files: %q is no glob", glob)
		}
	}
	for module, all := range c.Modules {
		for _, name := range all {
			if nameOf(name) != name {
				return fmt.Errorf("modules.%s: %q is no name of a distribution", module, name)
			}
		}
	}
	return nil
}
