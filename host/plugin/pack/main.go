// Command pack puts a manifest into the module that it is of, so that one file is
// the whole plugin:
//
//	pack MODULE.wasm MANIFEST.toml
//
// It is part of the build, and judges both as wr does.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/module"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack MODULE.wasm MANIFEST.toml")
		os.Exit(2)
	}
	if err := pack(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// pack replaces a module by one with its manifest inside.
func pack(wasm, sidecar string) error {
	data, err := os.ReadFile(sidecar)
	if err != nil {
		return err
	}
	said, err := manifest.ParseSidecar(data, sidecar, manifest.Words{})
	if err != nil {
		return err
	}
	section, err := json.Marshal(said.Manifest)
	if err != nil {
		return err
	}
	// What is read from the module must be what was written beside it.
	if _, err := manifest.Parse(section, wasm, manifest.Words{}); err != nil {
		return err
	}
	code, err := os.ReadFile(wasm)
	if err != nil {
		return err
	}
	packed, err := module.WithManifest(code, section)
	if err != nil {
		return err
	}
	return replace(wasm, packed)
}

// replace writes a file beside the one that it then takes the place of.
func replace(name string, data []byte) error {
	next, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name())
	_, err = next.Write(data)
	if err == nil {
		err = next.Chmod(0o644)
	}
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), name)
}
