package daemon

import (
	"os"
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestVariablesThatAreNotTextGoToTheAgent(t *testing.T) {
	tests := []struct {
		name           string
		env, text, raw []string
	}{
		{name: "nothing"},
		{name: "text stays", env: []string{"A=\u00e4", "B"}, text: []string{"A=\u00e4", "B"}},
		{name: "bytes go", env: []string{"A=\xff", "B=b", "\xfe=c"}, text: []string{"B=b"}, raw: []string{"A=\xff", "\xfe=c"}},
		{name: "text over bytes", env: []string{"A=\xff", "A=a"}, text: []string{"A=a"}},
		{name: "bytes over text", env: []string{"A=a", "A=\xff"}, raw: []string{"A=\xff"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, raw := splitEnv(tt.env)
			if !slices.Equal(text, tt.text) || !slices.Equal(raw, tt.raw) {
				t.Errorf("got %q and %q, want %q and %q", text, raw, tt.text, tt.raw)
			}
		})
	}
}

func TestPathsThatAreNotTextAreRefusedByName(t *testing.T) {
	c, err := Dial(t.Context(), respond(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	box := spec.Container{Mounts: []spec.Mount{{Source: "/home/\xff", Target: "/app"}}}
	if _, err := c.Run(t.Context(), box, spec.Process{}, spec.Stdio{}); !fault.HasCode(err, "container.not_utf8") {
		t.Errorf("got %v", err)
	}
}

func TestAnEngineWhereEverybodyCanWriteIsNotTrusted(t *testing.T) {
	dirs := engine.Dirs{Run: t.TempDir()}
	if err := os.Chmod(dirs.Run, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(t.Context(), dirs); !fault.HasCode(err, "engine.foreign_dir") {
		t.Errorf("got %v", err)
	}
}
