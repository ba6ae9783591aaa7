package module

import (
	"fmt"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// The kinds of imports and exports.
const (
	kindFunction = iota
	kindTable
	kindMemory
	kindGlobal
)

// The types of values.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeF32       = 0x7d
	typeF64       = 0x7c
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	typeFunction  = 0x60
)

// valueType reads the type of a value and returns the letter of signatures.
func (r *reader) valueType() byte {
	switch b := r.byte(); b {
	case typeI32:
		return 'i'
	case typeI64:
		return 'I'
	case typeF32:
		return 'f'
	case typeF64:
		return 'F'
	case typeV128:
		return 'v'
	case typeFuncref, typeExternref:
		return 'r'
	default:
		r.invalid("type %#x is not known", b)
		return 0
	}
}

// reference reads the type of what a table holds.
func (r *reader) reference() {
	if r.valueType() != 'r' {
		r.invalid("a table of what is no reference")
	}
}

// readTypes keeps the types of functions as text: "ii:i" takes two numbers of 32
// bits and returns one.
func (c *checker) readTypes(r *reader) {
	for range r.count("entries", "types", c.limits.Entries) {
		if r.byte() != typeFunction {
			r.invalid("a type that is none of a function")
		}
		text := c.values(r)
		text = append(append(text, ':'), c.values(r)...)
		c.types = append(c.types, string(text))
	}
}

// values reads the types of parameters or results.
func (c *checker) values(r *reader) []byte {
	var text []byte
	for range r.count("entries", "parameters or results of one type", max(c.limits.Entries/1000, 16)) {
		text = append(text, r.valueType())
	}
	return text
}

// readImports accepts functions of WASI preview 1 with the types that they have.
func (c *checker) readImports(r *reader) {
	for range r.count("entries", "imports", c.limits.Entries) {
		from, name := r.name(c.limits.NameLength), r.name(c.limits.NameLength)
		if kind := r.byte(); kind != kindFunction || from != wasiModule {
			r.fail(foreign(from, name))
			return
		}
		t := c.typeIndex(r)
		if r.err != nil {
			return
		}
		signature, known := wasi(name)
		switch {
		case !known:
			r.fail(foreign(from, name))
			return
		case c.types[t] != signature:
			r.fail(&fault.Error{
				Code: CodeImport, Message: fmt.Sprintf("imports %s of WASI preview 1 with another type than it has", name),
				Next: "build the plugin with a compiler for WASI preview 1",
			})
			return
		}
		c.functions = append(c.functions, t)
		c.summary.Imports = append(c.summary.Imports, name)
	}
	c.imported = len(c.functions)
}

func foreign(from, name string) error {
	f := &fault.Error{
		Code: CodeImport, Message: fmt.Sprintf("needs %q from %q; a plugin gets nothing but WASI preview 1", name, from),
		Next: "build it for WASI preview 1 without libraries that need a host of their own",
	}
	if from == wasiModule {
		f.Hint = fault.Closest(name, wasiNames())
		f.Message = fmt.Sprintf("needs %q, which WASI preview 1 does not have", name)
	}
	return f
}

// typeIndex reads the index of a type of a function.
func (c *checker) typeIndex(r *reader) uint32 {
	t := r.u32()
	if int64(t) >= int64(len(c.types)) {
		r.invalid("type %d of %d", t, len(c.types))
	}
	return t
}

// function reads the index of a function.
func (c *checker) function(r *reader) {
	if f := r.u32(); int64(f) >= int64(len(c.functions)) {
		r.invalid("function %d of %d", f, len(c.functions))
	}
}

func (c *checker) readFunctions(r *reader) {
	n := r.count("functions", "functions", c.limits.Functions)
	for range n {
		c.functions = append(c.functions, c.typeIndex(r))
	}
	c.summary.Functions = n
}

func (c *checker) readTables(r *reader) {
	c.tables = r.count("tables", "tables", c.limits.Tables)
	for range c.tables {
		r.reference()
		c.elements += int(r.bounds())
		if c.elements > c.limits.TableSize {
			r.fail(limit("table_size", "elements of tables", c.elements, c.limits.TableSize))
		}
	}
}

// bounds reads how large something is at least and at most, and returns the first.
func (r *reader) bounds() uint32 {
	flags := r.byte()
	least := r.u32()
	switch flags {
	case 0:
	case 1:
		if most := r.u32(); most < least {
			r.invalid("at least %d and at most %d", least, most)
		}
	default:
		r.invalid("memory or table with flags %#x: shared and 64-bit ones are not supported", flags)
	}
	return least
}

func (c *checker) readMemories(r *reader) {
	c.memories = r.count("entries", "memories", 1)
	for range c.memories {
		// Why as int64: four thousand million pages fit no int of 32 bits.
		c.summary.Memory = int(min(int64(r.bounds())*PageSize, 1<<31-1))
		if c.summary.Memory > c.limits.Memory {
			r.fail(limit("memory", "bytes of memory at the start", c.summary.Memory, c.limits.Memory))
		}
	}
}

func (c *checker) readGlobals(r *reader) {
	for range r.count("entries", "globals", c.limits.Entries) {
		r.valueType()
		if r.byte() > 1 {
			r.invalid("a global that is neither constant nor variable")
		}
		c.constant(r)
		c.globals++
	}
}

func (c *checker) readExports(r *reader) {
	c.exports = map[string]export{}
	for range r.count("entries", "exports", c.limits.Entries) {
		name := r.name(c.limits.NameLength)
		e := export{kind: r.byte(), index: r.u32()}
		if _, twice := c.exports[name]; twice {
			r.invalid("export %q is there twice", name)
		}
		if most := c.defined(e.kind); int64(e.index) >= int64(most) {
			r.invalid("export %q is number %d of %d", name, e.index, most)
		}
		c.exports[name] = e
	}
}

// defined is how many there are of a kind.
func (c *checker) defined(kind byte) int {
	switch kind {
	case kindFunction:
		return len(c.functions)
	case kindTable:
		return c.tables
	case kindMemory:
		return c.memories
	case kindGlobal:
		return c.globals
	default:
		return 0
	}
}

// readCode reads where the code of each function ends and what locals it has.
func (c *checker) readCode(r *reader) {
	c.bodies = r.count("functions", "functions", c.limits.Functions)
	if c.bodies != c.summary.Functions {
		r.at = len(r.data) // finish says what is wrong
		return
	}
	for i := range c.bodies {
		size := r.u32()
		if int64(size) > int64(c.limits.FunctionSize) {
			r.fail(limit("function_size", fmt.Sprintf("bytes of code in function %d", c.imported+i), int(size), c.limits.FunctionSize))
			return
		}
		c.summary.LongestFunction = max(c.summary.LongestFunction, int(size))
		body := r.sub(size)
		c.locals(body, c.imported+i)
		body.end(r)
	}
}

// locals counts the locals of one function and passes over its instructions.
func (c *checker) locals(r *reader, function int) {
	total := uint64(strings.Index(c.types[c.functions[function]], ":"))
	for range r.count("locals", "groups of locals", c.limits.Locals) {
		total += uint64(r.u32())
		r.valueType()
		if total > uint64(c.limits.Locals) {
			r.fail(limit("locals", fmt.Sprintf("locals of function %d", function), int(min(total, 1<<31-1)), c.limits.Locals))
			return
		}
	}
	if r.done() || r.data[len(r.data)-1] != opEnd {
		r.invalid("function %d does not end", function)
	}
	r.at = len(r.data)
}
