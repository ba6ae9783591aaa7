package module

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/wr-build/wr/runtime/spec/fault"
)

const (
	magic            = "\x00asm"
	versionCore      = 1
	versionComponent = 0x1000d
)

// Check reports whether binary is a plugin that may be compiled: a core module,
// well-formed, within limits, that needs nothing but WASI preview 1 and is a
// command of it. All its faults have codes of this package.
func Check(binary []byte, limits Limits) (Summary, error) {
	limits = limits.or(Default())
	if len(binary) > limits.ModuleSize {
		return Summary{}, limit("module_size", "bytes in the module", len(binary), limits.ModuleSize)
	}
	c := checker{limits: limits, summary: Summary{Size: len(binary), Imports: []string{}}}
	if err := eachSection(binary, c.section); err != nil {
		return Summary{}, err
	}
	if err := c.finish(); err != nil {
		return Summary{}, err
	}
	slices.Sort(c.summary.Imports)
	c.summary.Imports = slices.Compact(c.summary.Imports) // compilers import what they use twice
	return c.summary, nil
}

// The sections by their ids in the file.
const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

// order is where each section has its place; custom sections may be anywhere.
var order = [...]int{
	sectionType: 1, sectionImport: 2, sectionFunction: 3, sectionTable: 4, sectionMemory: 5, sectionGlobal: 6,
	sectionExport: 7, sectionStart: 8, sectionElement: 9, sectionDataCount: 10, sectionCode: 11, sectionData: 12,
}

// eachSection calls visit with the id and a reader of each section, in the file's order.
func eachSection(module []byte, visit func(id byte, body *reader)) error {
	if err := header(module); err != nil {
		return err
	}
	r := &reader{data: module[8:], base: 8}
	for last := 0; !r.done(); {
		id := r.byte()
		switch {
		case int(id) >= len(order):
			r.invalid("section %d is not known", id)
		case id != sectionCustom && order[id] <= last:
			r.invalid("section %d is there twice or out of order", id)
		default:
			last = max(last, order[id])
		}
		body := r.sub(r.u32())
		if body.err == nil {
			visit(id, body)
		}
		body.end(r)
	}
	return r.err
}

// header judges the first eight bytes.
func header(module []byte) error {
	if len(module) < 8 || !bytes.HasPrefix(module, []byte(magic)) {
		return invalid("it does not begin as one")
	}
	switch v := binary.LittleEndian.Uint32(module[4:]); v {
	case versionCore:
		return nil
	case versionComponent:
		return &fault.Error{
			Code: CodeComponent, Message: "this is a WebAssembly component; wr runs core modules for WASI preview 1",
			Next: "build for wasm32-wasip1 (Rust), GOOS=wasip1 GOARCH=wasm (Go) or wasm32-wasi (C)",
		}
	default:
		return invalid("version %d of the format is not known", v)
	}
}

// checker collects what sections say of one another.
type checker struct {
	limits  Limits
	summary Summary

	types     []string // as signature writes them
	imported  int      // functions
	functions []uint32 // types of all functions, imported ones first
	globals   int
	tables    int
	elements  int // that tables start with
	memories  int
	bodies    int
	segments  int // of data
	counted   int // segments of data that were announced; -1 = not
	exports   map[string]export
	announced bool // a section with the number of segments was there
}

// export is what stands behind a name.
type export struct {
	kind  byte
	index uint32
}

// section reads one section.
func (c *checker) section(id byte, r *reader) {
	switch id {
	case sectionCustom:
		r.name(c.limits.NameLength)
		r.at = len(r.data)
	case sectionType:
		c.readTypes(r)
	case sectionImport:
		c.readImports(r)
	case sectionFunction:
		c.readFunctions(r)
	case sectionTable:
		c.readTables(r)
	case sectionMemory:
		c.readMemories(r)
	case sectionGlobal:
		c.readGlobals(r)
	case sectionExport:
		c.readExports(r)
	case sectionStart:
		c.function(r)
	case sectionElement:
		c.readElements(r)
	case sectionCode:
		c.readCode(r)
	case sectionData:
		c.readData(r)
	case sectionDataCount:
		c.counted, c.announced = int(r.u32()), true
	}
}

// finish judges what needs the whole module.
func (c *checker) finish() error {
	switch {
	case c.bodies != c.summary.Functions:
		return invalid("%d functions, %d of them with code", c.summary.Functions, c.bodies)
	case c.announced && c.counted != c.segments:
		return invalid("%d segments of data announced, %d found", c.counted, c.segments)
	}
	return c.command()
}

// command says whether the module is a command of WASI: it exports _start, a
// function that takes and returns nothing, and its memory.
func (c *checker) command() error {
	start, found := c.exports["_start"]
	_, reactor := c.exports["_initialize"]
	memory, hasMemory := c.exports["memory"]
	switch {
	case !found && reactor:
		return noCommand("it exports _initialize: it is a reactor, a library", "build a command: without -buildmode=c-shared (Go), with main")
	case !found || start.kind != kindFunction:
		return noCommand("it exports no function _start", "build a program with main for WASI preview 1")
	case c.types[c.functions[start.index]] != ":":
		return noCommand("its _start takes or returns something", "build a program with main for WASI preview 1")
	case !hasMemory || memory.kind != kindMemory:
		return noCommand(`it does not export its memory as "memory"`, "link it with --export-memory, as compilers for WASI do")
	}
	return nil
}

func noCommand(why, next string) error {
	return &fault.Error{Code: CodeExport, Message: "not a WASI command: " + why, Next: next}
}
