package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestABaseIsPushedUnderATagOfItsOwn(t *testing.T) {
	const ref, tag = "docker.io/acme/tools:latest", fakeRegistry + "/acme/acme/tools:in-1"
	for name, tt := range map[string]struct {
		here       string // content of the base that this machine has
		there      string // content of what the registry has under the tag
		remote     string // where the base is in the end
		status     string
		code       string
		pinnedHere bool // under the name for its digest, while ref is another one by now
	}{
		"the first":                {here: "one", remote: tag, status: "pushed"},
		"again":                    {here: "one", there: "one", remote: tag, status: "there"},
		"a later one":              {here: "one", there: "older", remote: tag + "-7692c3ad3540", status: "pushed"},
		"one that was made before": {here: "one", pinnedHere: true, remote: tag, status: "pushed"},
		"one of another machine":   {here: "other", there: "older", remote: tag, code: "base.pin_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := fakeEngine{filepath.Join(t.TempDir(), "store")}
			registry := fakeEngine{fake.dir + ".registry"}
			pinned := digestOf([]byte("one"))
			local, err := image.Pinned(ref, pinned)
			if err != nil {
				t.Fatal(err)
			}
			put(t, fake, ref, tt.here)
			if tt.pinnedHere {
				put(t, fake, local, tt.here)
				put(t, fake, ref, "newer")
			}
			if tt.there != "" {
				put(t, registry, tag, tt.there)
			}
			got := transferred{Base: "acme/tools", Image: local, Remote: tag, ref: ref, named: pinned}
			err = pushBase(t.Context(), fake, &got, nil)
			if f := fault.Of(err); tt.code != "" && (f == nil || f.Code != tt.code) || tt.code == "" && err != nil {
				t.Fatalf("got %v, want %q", err, tt.code)
			}
			if tt.code != "" {
				return
			}
			if got.Remote != tt.remote || got.Status != tt.status || got.Digest != pinned {
				t.Errorf("got %+v", got)
			}
			if digest, _, _ := fake.Resolve(t.Context(), got.Remote); digest != pinned {
				t.Errorf("the registry has %s there, want %s", digest, pinned)
			}
			if tt.there != "" {
				if digest, _, _ := fake.Resolve(t.Context(), tag); digest != digestOf([]byte(tt.there)) {
					t.Errorf("the tag was moved to %s", digest)
				}
			}
		})
	}
}

// put writes an image of a fake engine.
func put(t *testing.T, e fakeEngine, ref, content string) {
	t.Helper()
	if err := os.MkdirAll(e.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(e.path(ref), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
