//go:build linux && engine

package daemon

import (
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

// BenchmarkRun is a command as a client sees it that is connected already: in
// a kept container, in one with namespaces of its own, and in one made for it.
func BenchmarkRun(b *testing.B) {
	f := start(b)
	defer f.stopAll()
	for name, role := range map[string]spec.Role{"dev": spec.RoleDev, "test": spec.RoleTest, "fresh": spec.RoleFresh} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := f.Run(b.Context(), as(role), spec.Process{Args: []string{"/bin/true"}}, spec.Stdio{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
