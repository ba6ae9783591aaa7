package grant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Ceiling is all policies that hold; each can only take away.
type Ceiling []config.Bound

// Refuses returns the first policy that does not let any plugin have c.
func (all Ceiling) Refuses(c abi.Capability) (policy config.Bound, refused bool) {
	return all.first(func(b config.Bound) bool {
		return b.Given("capabilities") && !slices.ContainsFunc(b.Capabilities, func(wide string) bool {
			return capability.Covers(abi.ParseCapability(wide), c)
		})
	})
}

// CheckSource refuses a source that plugins may not come from.
func (all Ceiling) CheckSource(source string) error {
	kind := config.SourceKind(source)
	policy, refused := all.first(func(b config.Bound) bool {
		return b.Given("sources") && !slices.ContainsFunc(b.Sources, func(from string) bool {
			return from == kind || strings.HasSuffix(from, "/") && strings.HasPrefix(kind, from)
		})
	})
	if !refused {
		return nil
	}
	return refusal(policy, policy.Line("sources"), "plugins may not come from "+source)
}

// CheckLimits refuses limits that are higher than those of a policy.
func (all Ceiling) CheckLimits(l config.PluginLimits) error {
	for _, policy := range all {
		for _, wrong := range l.Above(policy.Limits) {
			return refusal(policy, policy.Line("limits", wrong.Key), fmt.Sprintf("the limit %s of a plugin: %s", wrong.Key, wrong.Problem))
		}
	}
	return nil
}

func (all Ceiling) first(refuses func(config.Bound) bool) (config.Bound, bool) {
	i := slices.IndexFunc(all, refuses)
	if i < 0 {
		return config.Bound{}, false
	}
	return all[i], true
}

// refusal is the fault of what a policy does not allow.
func refusal(policy config.Bound, line int, message string) *fault.Error {
	return &fault.Error{
		Code: "policy.plugins", File: policy.File, Line: line, Message: message,
		Next: "ask whoever owns that policy",
	}
}
