// Package moduletest assembles small WebAssembly modules for tests: good ones,
// and such as do what plugins must not get away with.
package moduletest

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Types of values and blocks.
const (
	I32   = 0x7f
	I64   = 0x7e
	Empty = 0x40 // a block that leaves nothing
)

// Signature is the type of a function.
type Signature struct {
	Params, Results []byte
}

// Import is a function from elsewhere.
type Import struct {
	Module, Name string
	Type         Signature
}

// Func is a function of the module.
type Func struct {
	Type   Signature
	Locals uint32 // of 32 bits
	Code   []byte // without the end
}

// Export is a name for the function or memory with that number. Functions are
// counted from 0 with the imports first.
type Export struct {
	Kind  byte // 0 function, 2 memory
	Index uint32
}

// Module is what a module is made of. Sections that would be empty are left out.
type Module struct {
	Imports []Import
	Funcs   []Func
	Table   []byte // how large the one table is, as Bounds writes it
	Memory  []byte // the same of the one memory, in pages
	Exports map[string]Export
	Data    []byte // put at address 0
	Custom  map[string][]byte
}

// Command is a module that wr takes for a plugin. _start is the first of funcs
// and has one page of memory, up to most.
func Command(most uint32, imports []Import, funcs ...Func) Module {
	return Module{
		Imports: imports, Funcs: funcs, Memory: Bounds(1, most),
		Exports: map[string]Export{"_start": {0, uint32(len(imports))}, "memory": {2, 0}},
	}
}

// Bounds are the limits of a memory or table.
func Bounds(least, most uint32) []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{1}, uint64(least)), uint64(most))
}

// Bytes is the module as a file.
func (m Module) Bytes() []byte {
	types := m.types()
	b := []byte("\x00asm\x01\x00\x00\x00")
	b = Section(b, 1, Vector(types, func(s Signature) []byte {
		return slices.Concat([]byte{0x60}, Sized(s.Params), Sized(s.Results))
	}))
	b = Section(b, 2, Vector(m.Imports, func(i Import) []byte {
		return slices.Concat(Sized([]byte(i.Module)), Sized([]byte(i.Name)), []byte{0}, U32(indexOf(types, i.Type)))
	}))
	b = Section(b, 3, Vector(m.Funcs, func(f Func) []byte { return U32(indexOf(types, f.Type)) }))
	b = Section(b, 4, one(m.Table, 0x70))
	b = Section(b, 5, one(m.Memory))
	b = Section(b, 7, Vector(slices.Sorted(maps.Keys(m.Exports)), func(name string) []byte {
		e := m.Exports[name]
		return slices.Concat(Sized([]byte(name)), []byte{e.Kind}, U32(e.Index))
	}))
	b = Section(b, 10, Vector(m.Funcs, func(f Func) []byte { return Sized(f.body()) }))
	if len(m.Data) > 0 {
		b = Section(b, 11, slices.Concat([]byte{1, 0}, I32Const(0), []byte{0x0b}, Sized(m.Data)))
	}
	for _, name := range slices.Sorted(maps.Keys(m.Custom)) {
		b = Section(b, 0, append(Sized([]byte(name)), m.Custom[name]...))
	}
	return b
}

func (f Func) body() []byte {
	locals := []byte{0}
	if f.Locals > 0 {
		locals = slices.Concat([]byte{1}, U32(f.Locals), []byte{I32})
	}
	return slices.Concat(locals, f.Code, []byte{0x0b})
}

// types are the types of all functions, each once.
func (m Module) types() []Signature {
	var types []Signature
	add := func(s Signature) {
		if !slices.ContainsFunc(types, s.equal) {
			types = append(types, s)
		}
	}
	for _, i := range m.Imports {
		add(i.Type)
	}
	for _, f := range m.Funcs {
		add(f.Type)
	}
	return types
}

func (s Signature) equal(o Signature) bool {
	return slices.Equal(s.Params, o.Params) && slices.Equal(s.Results, o.Results)
}

func indexOf(types []Signature, s Signature) uint32 {
	return uint32(slices.IndexFunc(types, s.equal))
}

// one is a vector of one thing, or nothing.
func one(thing []byte, before ...byte) []byte {
	if thing == nil {
		return nil
	}
	return slices.Concat([]byte{1}, before, thing)
}

// Section appends a section to a module, unless it is empty.
func Section(module []byte, id byte, body []byte) []byte {
	if len(body) == 0 {
		return module
	}
	return append(append(module, id), Sized(body)...)
}

// Vector is how many there are, and each of them.
func Vector[T any](all []T, encode func(T) []byte) []byte {
	if len(all) == 0 {
		return nil
	}
	b := U32(uint32(len(all)))
	for _, each := range all {
		b = append(b, encode(each)...)
	}
	return b
}

// Sized is the length of b, and b.
func Sized(b []byte) []byte { return append(U32(uint32(len(b))), b...) }

// U32 is a number as modules have it.
func U32(n uint32) []byte { return binary.AppendUvarint(nil, uint64(n)) }
