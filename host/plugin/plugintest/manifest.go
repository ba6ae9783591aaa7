package plugintest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/wr-build/wr/sdk/go/abi"
)

// sidecar is a manifest as it lies beside its module: the JSON Schema of the config
// is a table like all else.
type sidecar struct {
	abi.Manifest
	Config map[string]any `toml:"config"`
}

// ReadManifest reads the only manifest of the current directory.
func ReadManifest(t testing.TB) abi.Manifest {
	t.Helper()
	names, err := filepath.Glob("*.wasm.toml")
	if err != nil || len(names) != 1 {
		t.Fatalf("want one manifest, NAME.wasm.toml, got %q, %v", names, err)
	}
	file, err := os.Open(names[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var read sidecar
	if err := toml.NewDecoder(file).DisallowUnknownFields().Decode(&read); err != nil {
		t.Fatalf("%s: %v", names[0], err)
	}
	m := read.Manifest
	if read.Config != nil {
		if m.Config, err = json.Marshal(read.Config); err != nil {
			t.Fatal(err)
		}
	}
	if m.Name+".wasm.toml" != names[0] || m.ABI != abi.Version {
		t.Errorf("%s: is of %q and %q", names[0], m.Name, m.ABI)
	}
	for _, c := range m.Capabilities {
		if c.Reason == "" {
			t.Errorf("%s: no reason for %s", names[0], c.Capability)
		}
	}
	return m
}
