package module_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/wr-build/wr/host/plugin/module"
)

// FuzzCheck hands what passes to wazero, which must not need much for it and
// sees the same imports. Why not what is refused: wazero makes room for as many
// things as a module announces, 16 GB for a file of 64 bytes.
func FuzzCheck(f *testing.F) {
	for _, m := range good() {
		f.Add(m.Bytes())
	}
	f.Fuzz(func(t *testing.T, binary []byte) {
		limits := module.Limits{Memory: 16 << 20, TableSize: 1 << 16, Locals: 1000, Functions: 1000}
		summary, err := module.Check(binary, limits)
		if err != nil {
			return
		}
		r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		defer r.Close(t.Context())
		compiled, err := r.CompileModule(t.Context(), binary)
		if err != nil {
			return
		}
		names := map[string]bool{}
		for _, f := range compiled.ImportedFunctions() {
			_, name, _ := f.Import()
			names[name] = true
		}
		if got := slices.Sorted(maps.Keys(names)); !slices.Equal(got, summary.Imports) {
			t.Errorf("wazero sees imports %q, Check %q", got, summary.Imports)
		}
	})
}

// FuzzManifest packs manifests into modules and reads them back.
func FuzzManifest(f *testing.F) {
	for _, m := range good() {
		f.Add(m.Bytes(), []byte("{}"))
	}
	f.Fuzz(func(t *testing.T, binary, manifest []byte) {
		packed, err := module.WithManifest(binary, manifest)
		if err != nil {
			return
		}
		got, found, err := module.Manifest(packed)
		if err != nil || !found || !bytes.Equal(got, manifest) {
			t.Errorf("got %q, %v, %v, want %q", got, found, err, manifest)
		}
		_, before := module.Check(binary, module.Limits{})
		_, after := module.Check(packed, module.Limits{})
		if (before == nil) != (after == nil) {
			t.Errorf("before: %v, after: %v", before, after)
		}
	})
}
