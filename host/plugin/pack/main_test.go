package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/sdk/go/abi"
)

const sidecar = "abi = \"wr/1\"\nname = \"x\"\nversion = \"1.0.0\"\nkind = \"rpc\"\n[provides]\ndiscover = true\n[config]\ntype = \"object\"\n"

// write makes a module without anything in it, and a manifest.
func write(t *testing.T, manifest string) (wasm, beside string) {
	t.Helper()
	dir := t.TempDir()
	wasm, beside = filepath.Join(dir, "x.wasm"), filepath.Join(dir, "x.wasm.toml")
	for name, text := range map[string]string{wasm: "\x00asm\x01\x00\x00\x00", beside: manifest} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return wasm, beside
}

func TestAModuleGetsTheManifestThatLiesBesideIt(t *testing.T) {
	wasm, beside := write(t, sidecar)
	for range 2 { // again: it is replaced, not added
		if err := pack(wasm, beside); err != nil {
			t.Fatal(err)
		}
	}
	code, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	data, found, err := module.Manifest(code)
	if err != nil || !found {
		t.Fatalf("found %v, %v", found, err)
	}
	var got abi.Manifest
	if err := json.Unmarshal(data, &got); err != nil || got.Name != "x" || !got.Provides.Discover || string(got.Config) != `{"type":"object"}` {
		t.Errorf("got %s, %v", data, err)
	}
	left, err := os.ReadDir(filepath.Dir(wasm))
	if err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestAManifestThatIsWrongLeavesTheModuleAsItIs(t *testing.T) {
	wasm, beside := write(t, sidecar+"\n[provide]\n")
	before, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	if pack(wasm, beside) == nil {
		t.Error("no error")
	}
	if after, err := os.ReadFile(wasm); err != nil || string(after) != string(before) {
		t.Errorf("got %q, %v", after, err)
	}
}
