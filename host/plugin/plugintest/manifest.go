package plugintest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/plugin/manifest"
)

// ReadManifest reads the only manifest of the current directory, as wr reads it.
func ReadManifest(t testing.TB) *manifest.Manifest {
	t.Helper()
	names, err := filepath.Glob("*.wasm" + manifest.Sidecar)
	if err != nil || len(names) != 1 {
		t.Fatalf("want one manifest, NAME.wasm%s, got %q, %v", manifest.Sidecar, names, err)
	}
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.ParseSidecar(data, names[0], manifest.Words{})
	if err != nil {
		t.Fatal(err)
	}
	if m.Name+".wasm"+manifest.Sidecar != names[0] {
		t.Errorf("%s is the manifest of %s", names[0], m.Name)
	}
	return m
}
