package capability

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Set are capabilities, sorted, each once.
type Set []abi.Capability

// SetOf makes a set.
func SetOf(all ...abi.Capability) Set {
	s := slices.Clone(all)
	slices.SortFunc(s, func(a, b abi.Capability) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	return slices.Compact(s)
}

// Requested is the set of what a plugin asks for.
func Requested(requests []abi.Request) Set {
	all := make([]abi.Capability, len(requests))
	for i, r := range requests {
		all[i] = r.Capability
	}
	return SetOf(all...)
}

// Digest is the sha256 of the set's one form: a line for each capability.
func (s Set) Digest() string {
	sum := sha256.Sum256([]byte(strings.Join(s.Strings(), "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Strings are the capabilities as grants have them.
func (s Set) Strings() []string {
	all := make([]string, len(s))
	for i, c := range s {
		all[i] = c.String()
	}
	return all
}

// Covering returns the first of s that covers c.
func (s Set) Covering(c abi.Capability) (abi.Capability, bool) {
	i := slices.IndexFunc(s, func(wide abi.Capability) bool { return Covers(wide, c) })
	if i < 0 {
		return abi.Capability{}, false
	}
	return s[i], true
}

// Without is what s has and no capability of other covers.
func (s Set) Without(other Set) Set {
	return slices.DeleteFunc(slices.Clone(s), func(c abi.Capability) bool {
		_, covered := other.Covering(c)
		return covered
	})
}
