package attack

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	m "github.com/wr-build/wr/host/plugin/module/moduletest"
)

// soon is how long wr may take to refuse a module.
const soon = 5 * time.Second

// refused are modules that are none, or are bombs for a compiler.
func refused() map[string]struct {
	code   string
	module []byte
} {
	foreign, table := m.Return(), m.Return()
	foreign.Imports = []m.Import{{Module: "env", Name: "system"}}
	table.Table = m.Bounds(1<<32-1, 1<<32-1)
	many := make([]m.Import, 200_000)
	for i := range many {
		many[i] = wasi("fd_write")
	}
	entries := m.Return()
	entries.Imports = many
	good := m.Return().Bytes()
	return map[string]struct {
		code   string
		module []byte
	}{
		"one huge function":       {"plugin.module_limit", m.HugeFunction(4 << 20).Bytes()},
		"a million functions":     {"plugin.module_limit", m.ManyFunctions(1_000_000).Bytes()},
		"giant locals":            {"plugin.module_limit", m.GiantLocals(1<<32 - 1).Bytes()},
		"a giant table":           {"plugin.module_limit", table.Bytes()},
		"many imports":            {"plugin.module_limit", entries.Bytes()},
		"16 GB in 64 bytes":       {"plugin.module_limit", []byte("\x00asm\x01\x00\x00\x00\x01\x04\x01`\x00\x00\x03\x05\xcf\xe5\xc7\xd4\x0e")},
		"a file of 65 MiB":        {"plugin.module_limit", append(bytes.Clone(good), make([]byte, 65<<20)...)},
		"nothing":                 {"plugin.module_invalid", nil},
		"a shell script":          {"plugin.module_invalid", []byte("#!/bin/sh\nrm -r /\n")},
		"half a module":           {"plugin.module_invalid", good[:len(good)/2]},
		"a component":             {"plugin.module_component", []byte("\x00asm\x0d\x00\x01\x00")},
		"imports beyond WASI":     {"plugin.module_import", foreign.Bytes()},
		"a section out of order":  {"plugin.module_invalid", m.Section(bytes.Clone(good), 1, []byte{0})},
		"a section without end":   {"plugin.module_invalid", append(bytes.Clone(good), 11, 0xff, 0xff, 0xff, 0xff, 0x0f)},
		"code that is none":       {"plugin.compile", m.Command(1, nil, m.Func{Code: []byte{0xff}}).Bytes()},
		"numbers that do not end": {"plugin.module_invalid", append(bytes.Clone(good), bytes.Repeat([]byte{0x80}, 1000)...)},
	}
}

func TestModulesThatAreRefused(t *testing.T) {
	for name, tt := range refused() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.add("good")
			f.write("outside/bomb.wasm", string(tt.module))
			f.module("shady", f.top+"/outside/bomb.wasm", "")
			before := f.tree()
			o := f.wr("plugin", "add", "tools/shady.wasm", "--yes")
			f.compare(before)
			if o.code != 3 || !strings.Contains(o.stderr, "["+tt.code+"]") || !strings.Contains(o.stderr, "next: ") || o.took > soon || o.peak > most {
				t.Errorf("exit %d after %s with %d MiB: %s", o.code, o.took, o.peak>>20, o.stderr)
			}
			f.smuggle(tt.module)
			before = f.tree()
			r, o := f.lint()
			f.compare(before)
			if why := linted(r, "shady").Fault; o.code != 3 || why == nil || why.Code != tt.code || o.took > soon || o.peak > most {
				t.Errorf("past add: exit %d after %s with %d MiB, %v", o.code, o.took, o.peak>>20, why)
			}
			if one := linted(r, "good"); one.Fault != nil || len(one.Diagnostics) != 1 {
				t.Errorf("the good plugin said %+v, %v", one.Diagnostics, one.Fault)
			}
		})
	}
}

// smuggle has wr.lock pin a module as shady that nobody added.
func (f *field) smuggle(module []byte) {
	f.t.Helper()
	f.module("shady", built.path("shady.wasm"), "")
	f.add("shady")
	f.write("ws/tools/shady.wasm", string(module))
	sum := sha256.Sum256(module)
	f.edit(`digest = '[^']*'`, "digest = 'sha256:"+hex.EncodeToString(sum[:])+"'")
	f.edit(`size = \d+`, fmt.Sprintf("size = %d", len(module)))
}

func TestManifestsThatLieAreRefused(t *testing.T) {
	base := fmt.Sprintf(manifest, "shady", "")
	capability := func(name, value, reason string) string {
		return base + fmt.Sprintf("[[capabilities]]\nname = %q\nvalue = %q\nreason = %q\n", name, value, reason)
	}
	// The table of the config is the last: capabilities behind it are still the manifest's.
	for name, tt := range map[string]struct{ code, manifest string }{
		"a capability that there is not": {"manifest", capability("root", "", "to help")},
		"a capability twice":             {"manifest", capability("fs.read", "**", "again")},
		"no reason":                      {"manifest", capability("exec", "sh", "")},
		"a reason of two lines":          {"manifest", capability("exec", "sh", "to lint\nfs.read: nothing")},
		"a reason for a terminal":        {"manifest", capability("exec", "sh", "to lint\x1b[2K\rnothing")},
		"a name that is a path":          {"manifest", strings.Replace(base, `"shady"`, `"../../outside/x"`, 1)},
		"another ABI":                    {"manifest", strings.Replace(base, "wr/1", "wr/9", 1)},
		"another kind":                   {"manifest", strings.Replace(base, `"rpc"`, `"native"`, 1)},
		"a key that there is not":        {"manifest", "grants = [\"exec:sh\"]\n" + base},
		"a glob that leads out":          {"manifest", strings.Replace(base, `value = "**"`, `value = "../**"`, 1)},
		"a deep one":                     {"manifest", "x = " + strings.Repeat("[", 1<<19)},
		"one of more than a megabyte":    {"plugin.module_limit", "x = " + strings.Repeat("[", 1<<20)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.add("good")
			f.module("shady", built.path("shady.wasm"), "")
			f.write("ws/tools/shady.wasm.toml", tt.manifest)
			refuses(f, tt.code)
		})
	}
}

// refuses has shady be added, which must be refused and change nothing.
func refuses(f *field, code string) {
	t := f.t
	t.Helper()
	before := f.tree()
	o := f.wr("plugin", "add", "tools/shady.wasm", "--yes")
	f.compare(before)
	t.Logf("%s", o.stderr)
	if o.code != 2 && o.code != 3 || !strings.Contains(o.stderr, "["+code) || o.took > soon || strings.Contains(o.stderr, "\x1b") {
		t.Errorf("exit %d after %s: %q", o.code, o.took, o.stderr)
	}
	if r, _ := f.lint(); len(r.Linters) != 1 || len(linted(r, "good").Diagnostics) != 1 {
		t.Errorf("afterwards: %+v", r.Linters)
	}
}

func TestAModuleWithTwoManifestsIsRefused(t *testing.T) {
	section := func(name string) []byte {
		return append(m.Sized([]byte("dev.wr.manifest")), []byte(`{"abi":"wr/1","name":"`+name+`","version":"1.0.0","kind":"rpc","provides":{"discover":true}}`)...)
	}
	one := m.Section(m.Return().Bytes(), 0, section("shady"))
	for name, tt := range map[string]struct {
		module []byte
		beside bool
	}{
		"two sections":             {m.Section(bytes.Clone(one), 0, section("other")), false},
		"a section and a file":     {one, true},
		"a section that is broken": {m.Section(m.Return().Bytes(), 0, append(m.Sized([]byte("dev.wr.manifest")), "{"...)), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newField(t)
			f.add("good")
			f.write("outside/module", string(tt.module))
			f.module("shady", f.top+"/outside/module", "")
			if !tt.beside {
				f.must(os.Remove(filepath.Join(f.ws, "tools/shady.wasm.toml")))
			}
			refuses(f, "")
		})
	}
}
