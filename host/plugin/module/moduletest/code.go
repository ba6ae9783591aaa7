package moduletest

import (
	"bytes"
	"slices"
)

// Instructions that stand for themselves.
const (
	Unreachable = 0x00
	Nop         = 0x01
	End         = 0x0b
	Drop        = 0x1a
)

// I32Const pushes n.
func I32Const(n int32) []byte {
	b := []byte{0x41}
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if (n == 0 && low&0x40 == 0) || (n == -1 && low&0x40 != 0) {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// Call calls the function with that number, imports counted first.
func Call(function uint32) []byte { return append([]byte{0x10}, U32(function)...) }

// Loop runs code again and again.
func Loop(code ...[]byte) []byte {
	return slices.Concat([]byte{0x03, Empty}, slices.Concat(code...), []byte{0x0c, 0, End})
}

// Grow asks for more pages of memory and drops the answer.
func Grow(pages int32) []byte { return append(I32Const(pages), 0x40, 0, Drop) }

// Store writes a number of 32 bits to an address.
func Store(address, value int32) []byte {
	return slices.Concat(I32Const(address), I32Const(value), []byte{0x36, 2, 0})
}

// wasi is a function of WASI preview 1 that takes four numbers of 32 bits and
// returns one.
func wasi(name string) Import {
	return Import{"wasi_snapshot_preview1", name, Signature{[]byte{I32, I32, I32, I32}, []byte{I32}}}
}

// program is a command with one function and imports of WASI.
func program(imports []Import, code ...[]byte) Module {
	return Command(1<<16, imports, Func{Code: slices.Concat(code...)})
}

// Return is a command that does nothing.
func Return() Module { return program(nil) }

// Hello is a command that prints text on stdout.
func Hello(text string) Module {
	m := program([]Import{wasi("fd_write")}, write(1, int32(len(text))))
	m.Data = []byte(text)
	return m
}

// Exit is a command that ends with a code.
func Exit(code int32) Module {
	exit := Import{"wasi_snapshot_preview1", "proc_exit", Signature{Params: []byte{I32}}}
	return program([]Import{exit}, I32Const(code), Call(0))
}

// Chatter is a command that writes n bytes and then text on stderr.
func Chatter(n int, text string) Module {
	const at = 3 << 16 // behind the text
	m := program([]Import{wasi("fd_write")}, Store(at, 0), Store(at+4, int32(n+len(text))),
		I32Const(2), I32Const(at), I32Const(1), I32Const(at+8), Call(0), []byte{Drop})
	m.Memory = Bounds(4, 4)
	m.Data = append(bytes.Repeat([]byte("x"), n), text...)
	return m
}

// Clock is a command that prints the wall clock: nanoseconds in eight bytes, the
// lowest first.
func Clock() Module {
	now := Import{"wasi_snapshot_preview1", "clock_time_get", Signature{[]byte{I32, I64, I32}, []byte{I32}}}
	return program([]Import{wasi("fd_write"), now},
		I32Const(0), []byte{0x42, 0}, I32Const(0), Call(1), []byte{Drop}, write(1, 8))
}

// write has the import 0, fd_write, write the first n bytes of memory to fd.
func write(fd, n int32) []byte {
	return slices.Concat(Store(1024, 0), Store(1028, n),
		I32Const(fd), I32Const(1024), I32Const(1), I32Const(1032), Call(0), []byte{Drop})
}
