package module_test

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// good are commands that must pass, and that wazero must accept as well.
func good() map[string]moduletest.Module {
	return map[string]moduletest.Module{
		"return": moduletest.Return(), "hello": moduletest.Hello("hello\n"), "exit": moduletest.Exit(3),
		"loop": moduletest.EndlessLoop(), "exponential": moduletest.Exponential(40), "recursion": moduletest.Recursion(),
		"trap": moduletest.Trap(), "sleep": moduletest.Sleep(), "read": moduletest.Read(), "echo": moduletest.Echo(),
		"flood": moduletest.Flood(1), "hoard": moduletest.Hoard(), "long": moduletest.HugeFunction(10_000),
		"many": moduletest.ManyFunctions(1000), "locals": moduletest.GiantLocals(1000), "table": moduletest.GiantTable(1000),
		"table hoard": moduletest.TableHoard(), "chatter": moduletest.Chatter(1000, "end"), "clock": moduletest.Clock(),
	}
}

func TestACommandIsSummedUp(t *testing.T) {
	binary := moduletest.Hello("hello\n").Bytes()
	got, err := module.Check(binary, module.Limits{})
	want := module.Summary{Size: len(binary), Functions: 1, LongestFunction: got.LongestFunction, Memory: 65536, Imports: []string{"fd_write"}}
	if err != nil || !reflect.DeepEqual(got, want) || got.LongestFunction < 20 || got.LongestFunction > 60 {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestWhatIsGoodPassesHereAndInWazero(t *testing.T) {
	for name, m := range good() {
		t.Run(name, func(t *testing.T) {
			if _, err := module.Check(m.Bytes(), module.Limits{}); err != nil {
				t.Error(err)
			}
			if err := compile(t.Context(), m.Bytes()); err != nil {
				t.Errorf("wazero: %v", err)
			}
		})
	}
}

// compile has wazero's interpreter judge a module.
func compile(ctx context.Context, binary []byte) error {
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	_, err := r.CompileModule(ctx, binary)
	return err
}

// section is a section with these bytes in it.
func section(id byte, body ...byte) func([]byte) []byte {
	return func(m []byte) []byte { return moduletest.Section(m, id, body) }
}

// assemble puts sections behind the header.
func assemble(sections ...func([]byte) []byte) []byte {
	m := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range sections {
		m = s(m)
	}
	return m
}

func TestWhatIsNoPluginIsRefused(t *testing.T) {
	void := section(1, 1, 0x60, 0, 0) // one type: takes nothing, returns nothing
	one := section(3, 1, 0)           // one function of it
	body := section(10, 1, 2, 0, 0x0b)
	memory := section(5, 1, 0, 1)
	exports := section(7, slices.Concat([]byte{2}, moduletest.Sized([]byte("_start")), []byte{0, 0}, moduletest.Sized([]byte("memory")), []byte{2, 0})...)
	foreign := func(from, name string) []byte {
		m := moduletest.Return()
		m.Imports = []moduletest.Import{{Module: from, Name: name}}
		return m.Bytes()
	}
	without := func(name string) []byte {
		m := moduletest.Return()
		delete(m.Exports, name)
		return m.Bytes()
	}
	reactor := moduletest.Return()
	reactor.Exports = map[string]moduletest.Export{"_initialize": {}, "memory": {Kind: 2}}
	takes := moduletest.Command(1, nil, moduletest.Func{Type: moduletest.Signature{Params: []byte{moduletest.I32}}})

	tests := map[string]struct {
		binary []byte
		code   string
		want   string // in the message
	}{
		"nothing":                           {nil, module.CodeInvalid, "does not begin as one"},
		"text":                              {[]byte("#!/bin/sh\necho hello"), module.CodeInvalid, "does not begin as one"},
		"a later version":                   {[]byte("\x00asm\x02\x00\x00\x00"), module.CodeInvalid, "version 2"},
		"a component":                       {[]byte("\x00asm\x0d\x00\x01\x00"), module.CodeComponent, "core modules"},
		"an unknown section":                {assemble(section(13, 0)), module.CodeInvalid, "byte 9: section 13"},
		"a section twice":                   {assemble(void, void), module.CodeInvalid, "twice or out of order"},
		"sections out of order":             {assemble(memory, void), module.CodeInvalid, "twice or out of order"},
		"a section longer than the file":    {append(assemble(), 1, 100), module.CodeInvalid, "100 bytes announced, 0 are left"},
		"a section longer than its content": {assemble(section(1, 1, 0x60, 0, 0, 9)), module.CodeInvalid, "1 bytes too many"},
		"a section shorter than that":       {assemble(section(1, 2, 0x60, 0, 0)), module.CodeInvalid, "ends too early"},
		"a number without end":              {append(assemble(), 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), module.CodeInvalid, "more than 32 bits"},
		"a number beyond 32 bits":           {append(assemble(), 1, 0xff, 0xff, 0xff, 0xff, 0x1f), module.CodeInvalid, "more than 32 bits"},
		"a count beyond the section":        {assemble(section(3, 0xff, 0x7f)), module.CodeInvalid, "announced in 0 bytes"},
		"a type of nothing":                 {assemble(section(1, 1, 0x61, 0, 0)), module.CodeInvalid, "none of a function"},
		"an unknown type of value":          {assemble(section(1, 1, 0x60, 1, 0x11, 0)), module.CodeInvalid, "type 0x11"},
		"a function of an unknown type":     {assemble(void, section(3, 1, 7)), module.CodeInvalid, "type 7 of 1"},
		"functions without code":            {assemble(void, one), module.CodeInvalid, "1 functions, 0 of them with code"},
		"code without functions":            {assemble(void, body), module.CodeInvalid, "0 functions, 1 of them"},
		"code that does not end":            {assemble(void, one, section(10, 1, 2, 0, 1)), module.CodeInvalid, "does not end"},
		"a memory that two share":           {assemble(section(5, 1, 3, 1, 1)), module.CodeInvalid, "flags 0x3"},
		"two memories":                      {assemble(section(5, 2, 0, 1, 0, 1)), module.CodeLimit, "memories: 2"},
		"a memory smaller than itself":      {assemble(section(5, 1, 1, 2, 1)), module.CodeInvalid, "at least 2 and at most 1"},
		"an export of what is not there":    {assemble(void, one, section(7, 1, 1, 'x', 0, 1), body), module.CodeInvalid, "number 1 of 1"},
		"an export twice":                   {assemble(void, one, section(7, 2, 1, 'x', 0, 0, 1, 'x', 0, 0), body), module.CodeInvalid, `"x" is there twice`},
		"a name that is no text":            {assemble(section(0, 1, 0xff)), module.CodeInvalid, "not UTF-8"},
		"a start that is not there":         {assemble(section(8, 0)), module.CodeInvalid, "function 0 of 0"},
		"a global of instructions":          {assemble(section(6, 1, 0x7f, 0, 0x10, 0, 0x0b)), module.CodeInvalid, "instruction 0x10 in a constant"},
		"elements for no table":             {assemble(section(9, 1, 0, 0x41, 0, 0x0b, 0)), module.CodeInvalid, "memory 0 of 0"},
		"elements of no kind":               {assemble(section(9, 1, 8)), module.CodeInvalid, "flags 0x8"},
		"data for no memory":                {assemble(section(11, 1, 0, 0x41, 0, 0x0b, 0)), module.CodeInvalid, "memory 0 of 0"},
		"data beyond the file":              {assemble(memory, section(11, 1, 0, 0x41, 0, 0x0b, 100)), module.CodeInvalid, "100 bytes announced"},
		"data other than announced":         {assemble(void, one, memory, exports, section(12, 2), body), module.CodeInvalid, "2 segments of data announced, 0 found"},
		"an import of the host":             {foreign("env", "system"), module.CodeImport, `needs "system" from "env"`},
		"an import of an older WASI":        {foreign("wasi_unstable", "fd_write"), module.CodeImport, `from "wasi_unstable"`},
		"an import that WASI does not have": {foreign("wasi_snapshot_preview1", "fd_wriet"), module.CodeImport, "which WASI preview 1 does not have"},
		"an import of another type":         {foreign("wasi_snapshot_preview1", "fd_write"), module.CodeImport, "another type"},
		"an import of a memory":             {assemble(section(2, slices.Concat([]byte{1}, moduletest.Sized([]byte("wasi_snapshot_preview1")), []byte{1, 'm', 2, 0, 1})...)), module.CodeImport, `needs "m"`},
		"no _start":                         {without("_start"), module.CodeExport, "no function _start"},
		"no memory":                         {without("memory"), module.CodeExport, "does not export its memory"},
		"a library":                         {reactor.Bytes(), module.CodeExport, "a reactor"},
		"a _start that takes something":     {takes.Bytes(), module.CodeExport, "takes or returns something"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := module.Check(tt.binary, module.Limits{})
			f := fault.Of(err)
			if f == nil || f.Code != tt.code || !strings.Contains(f.Message, tt.want) || f.Next == "" {
				t.Errorf("got %v, want %s with %q and what to do", err, tt.code, tt.want)
			}
		})
	}
	if _, err := module.Check(assemble(void, one, memory, exports, section(12, 0), body), module.Limits{}); err != nil {
		t.Errorf("the whole of these parts must be good: %v", err)
	}
}

func TestEveryLimitIsKept(t *testing.T) {
	long := moduletest.Return()
	long.Custom = map[string][]byte{strings.Repeat("n", 100): nil}
	tests := map[string]struct {
		module moduletest.Module
		limits module.Limits // just enough
		tight  module.Limits // one too few
	}{
		"functions":     {moduletest.ManyFunctions(10), module.Limits{Functions: 10}, module.Limits{Functions: 9}},
		"function_size": {moduletest.EndlessLoop(), module.Limits{FunctionSize: 7}, module.Limits{FunctionSize: 6}},
		"locals":        {moduletest.GiantLocals(10), module.Limits{Locals: 10}, module.Limits{Locals: 9}},
		"table_size":    {moduletest.GiantTable(10), module.Limits{TableSize: 10}, module.Limits{TableSize: 9}},
		"memory":        {moduletest.Return(), module.Limits{Memory: 65536}, module.Limits{Memory: 65535}},
		"name":          {long, module.Limits{NameLength: 100}, module.Limits{NameLength: 99}},
		"module_size":   {moduletest.Return(), module.Limits{ModuleSize: len(moduletest.Return().Bytes())}, module.Limits{ModuleSize: len(moduletest.Return().Bytes()) - 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := module.Check(tt.module.Bytes(), tt.limits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := module.Check(tt.module.Bytes(), tt.tight)
			if f := fault.Of(err); f == nil || f.Code != module.CodeLimit || !strings.Contains(f.Next, "limits."+name+" ") && !strings.Contains(f.Next, "shorter "+name) {
				t.Errorf("over the limit: got %v, want the limit named", err)
			}
		})
	}
}

func TestBombsAreRefusedByTheDefaults(t *testing.T) {
	tests := map[string]moduletest.Module{
		"one huge function":       moduletest.HugeFunction(2 << 20),
		"a million functions":     moduletest.ManyFunctions(1_000_000),
		"giant locals":            moduletest.GiantLocals(1<<32 - 1),
		"a giant table":           moduletest.GiantTable(1<<32 - 1),
		"four gigabytes of start": {Memory: moduletest.Bounds(1<<16, 1<<16)},
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := module.Check(m.Bytes(), module.Limits{}); !fault.HasCode(err, module.CodeLimit) {
				t.Errorf("got %v, want a limit", err)
			}
		})
	}
}

func TestWASIIsAsWazeroHasIt(t *testing.T) {
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	b := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(b)
	host, err := b.Compile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, def := range host.ExportedFunctions() {
		m := moduletest.Return()
		m.Imports = []moduletest.Import{{Module: wasi_snapshot_preview1.ModuleName, Name: name, Type: moduletest.Signature{Params: def.ParamTypes(), Results: def.ResultTypes()}}}
		m.Exports["_start"] = moduletest.Export{Index: 1}
		if _, err := module.Check(m.Bytes(), module.Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(host.ExportedFunctions()); n != module.Functions() {
		t.Errorf("wazero has %d functions, Check knows %d", n, module.Functions())
	}
}

func TestAManifestTravelsInTheModule(t *testing.T) {
	plain := moduletest.Hello("hi").Bytes()
	if got, found, err := module.Manifest(plain); found || got != nil || err != nil {
		t.Errorf("got %q, %v, %v of a module without", got, found, err)
	}
	packed, err := module.WithManifest(plain, []byte(`{"name":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	again, err := module.WithManifest(packed, []byte(`{"name":"b"}`))
	if err != nil {
		t.Fatal(err)
	}
	for want, binary := range map[string][]byte{`{"name":"a"}`: packed, `{"name":"b"}`: again} {
		if got, found, err := module.Manifest(binary); string(got) != want || !found || err != nil {
			t.Errorf("got %q, %v, %v, want %s", got, found, err, want)
		}
		if _, err := module.Check(binary, module.Limits{}); err != nil {
			t.Error(err)
		}
	}
	if !bytes.HasPrefix(packed, plain) || len(again) != len(packed) {
		t.Error("packing changed more than the manifest")
	}
}

func TestAManifestThatCouldBeReadInTwoWaysIsRefused(t *testing.T) {
	m := moduletest.Return()
	m.Custom = map[string][]byte{abi.ManifestSection: []byte("{}")}
	twice := moduletest.Section(m.Bytes(), 0, append(moduletest.Sized([]byte(abi.ManifestSection)), "{}"...))
	m.Custom[abi.ManifestSection] = make([]byte, module.MaxManifest+1)
	for name, binary := range map[string][]byte{"two": twice, "a long one": m.Bytes()} {
		if _, found, err := module.Manifest(binary); found || !fault.HasCode(err, module.CodeManifest) {
			t.Errorf("%s: got %v, %v", name, found, err)
		}
	}
	if _, err := module.WithManifest(moduletest.Return().Bytes(), make([]byte, module.MaxManifest+1)); !fault.HasCode(err, module.CodeManifest) {
		t.Errorf("packed a long one: %v", err)
	}
	if _, err := module.WithManifest([]byte("text"), nil); !fault.HasCode(err, module.CodeInvalid) {
		t.Errorf("packed into text: %v", err)
	}
}

func TestAnOutlineIsTheModuleButForWhatItsFunctionsDo(t *testing.T) {
	binary := moduletest.Hello("hello\n").Bytes()
	outline, err := module.Outline(binary)
	if err != nil || bytes.Equal(outline, binary) {
		t.Fatalf("%v, or as it was", err)
	}
	whole, err1 := module.Check(binary, module.Limits{})
	rest, err2 := module.Check(outline, module.Limits{})
	if err1 != nil || err2 != nil || rest.Functions != whole.Functions || rest.Memory != whole.Memory || !slices.Equal(rest.Imports, whole.Imports) || rest.LongestFunction != 3 {
		t.Errorf("got %+v, %v of %+v, %v", rest, err2, whole, err1)
	}
	again, err := module.Outline(outline)
	if err != nil || !bytes.Equal(again, outline) {
		t.Errorf("the outline of an outline is another one: %v", err)
	}
	for _, cut := range []int{0, 7, len(binary) - 1} {
		if _, err := module.Outline(binary[:cut]); err == nil {
			t.Errorf("an outline of %d bytes", cut)
		}
	}
}
