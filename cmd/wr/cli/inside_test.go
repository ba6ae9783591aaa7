package cli

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wr-build/wr/host/workspace"
)

// TestAnImageCarriesThePluginForAllProjects looks at what pytest is told in the
// image of an entry: cases without a mark are not for it, whosever they are.
func TestAnImageCarriesThePluginForAllProjects(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"wr.toml":    "[workspace]\n[images.e2e]\ndockerfile = \"Dockerfile\"\npytest_plugin = true\n",
		"Dockerfile": "FROM a\n", "web/devops/Dockerfile": "FROM a\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Load(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := ownLayer(ws, ws.Images[0])
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Ignore []string `json:"ignore"`
		Places struct {
			Here    string            `json:"here"`
			Default string            `json:"default"`
			Names   map[string]string `json:"names"`
		} `json:"places"`
	}
	if err := json.Unmarshal([]byte(layer.Files[layer.Env["WR_PYTEST"]]), &told); err != nil {
		t.Fatal(err)
	}
	if p := told.Places; p.Here != "e2e" || p.Default != noPlace || !slices.Equal(slices.Collect(maps.Keys(p.Names)), []string{"e2e"}) || told.Ignore != nil {
		t.Errorf("pytest is told %+v", told)
	}
	if layer.Env["WR_PROJECT"] != "e2e" {
		t.Errorf("its environment is %v", layer.Env)
	}
}
