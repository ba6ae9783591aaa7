// Package grant says what a plugin has: of what it asks for, that which wr.lock
// grants and no policy takes away. Nothing here asks anybody or writes anything.
package grant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Grant is what one plugin has. It is immutable, and safe for concurrent use.
type Grant struct {
	manifest *manifest.Manifest
	granted  capability.Set
	ceiling  Ceiling
}

// Make finds what a plugin has of what wr.lock grants it.
func Make(m *manifest.Manifest, locked capability.Set, ceiling Ceiling) *Grant {
	granted := slices.DeleteFunc(slices.Clone(locked), func(c abi.Capability) bool {
		_, asked := m.Reason(c)
		_, refused := ceiling.Refuses(c)
		return !asked || refused
	})
	return &Grant{m, granted, ceiling}
}

// Capabilities are those that the plugin has.
func (g *Grant) Capabilities() capability.Set { return g.granted }

// Values are those of the capabilities with one name.
func (g *Grant) Values(name string) []string {
	var values []string
	for _, c := range g.granted {
		if c.Name == name {
			values = append(values, c.Value)
		}
	}
	return values
}

// Allow is nil for what the plugin has. Else it says what would give it that.
func (g *Grant) Allow(c abi.Capability) *abi.Denied {
	if slices.ContainsFunc(g.granted, func(have abi.Capability) bool { return capability.Allows(have, c) }) {
		return nil
	}
	i := slices.IndexFunc(g.manifest.Capabilities, func(r abi.Request) bool { return capability.Allows(r.Capability, c) })
	if i < 0 {
		return &abi.Denied{Capability: c.String(), Grant: fmt.Sprintf("the manifest of %s does not ask for it, and its author would have to add it there", g.manifest.Name)}
	}
	denied := g.missing(g.manifest.Capabilities[i])
	denied.Capability = c.String()
	return &denied
}

// Missing are the requests that the plugin has nothing of, or not all.
func (g *Grant) Missing() []abi.Denied {
	var all []abi.Denied
	for _, r := range g.manifest.Capabilities {
		if _, has := g.granted.Covering(r.Capability); !has {
			all = append(all, g.missing(r))
		}
	}
	return all
}

// missing says what would give the plugin what it asks for.
func (g *Grant) missing(r abi.Request) abi.Denied {
	d := abi.Denied{Capability: r.String(), Reason: r.Reason, Grant: Command(g.manifest.Name, r.Capability)}
	if policy, refused := g.ceiling.Refuses(r.Capability); refused {
		d.Grant = fmt.Sprintf("the policy at %s does not allow it; %q would have to be added there", Place(policy), d.Capability)
	}
	return d
}

// Place is where a policy bounds capabilities.
func Place(policy config.Bound) string {
	return fmt.Sprintf("%s:%d", policy.File, policy.Line("capabilities"))
}

// Command is the command that grants capabilities to a plugin.
func Command(name string, all ...abi.Capability) string {
	words := []string{"wr plugin grant", name}
	for _, c := range all {
		words = append(words, Quote(c.String()))
	}
	return strings.Join(words, " ")
}

// Quote writes a word as shells take it.
func Quote(word string) string {
	if word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.,:/@+=") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
