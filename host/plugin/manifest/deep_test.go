package manifest_test

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// TestADeepSidecarEndsNothing has sidecars as long as they may be: reading one
// must neither fill the stack nor take long.
func TestADeepSidecarEndsNothing(t *testing.T) {
	const n = manifest.MaxSidecar - 10
	for _, text := range []string{
		"a = " + strings.Repeat("[", n), "a = " + strings.Repeat("[", n/2) + strings.Repeat("]", n/2),
		"a = " + strings.Repeat("{a=", n/3), strings.Repeat("a.", n/2) + "a = 1",
	} {
		if _, err := manifest.ParseSidecar([]byte(text), "t", manifest.Words{}); err == nil || fault.HasCode(err, "manifest.too_long") {
			t.Errorf("%s...: %v", text[:20], err)
		}
	}
	if _, err := manifest.ParseSidecar(make([]byte, manifest.MaxSidecar+1), "t", manifest.Words{}); !fault.HasCode(err, "manifest.too_long") {
		t.Errorf("a longer one: %v", err)
	}
}
