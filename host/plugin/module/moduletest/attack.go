package moduletest

import (
	"bytes"
	"slices"
)

// EndlessLoop never ends and calls nothing.
func EndlessLoop() Module { return program(nil, Loop()) }

// Exponential calls two to the power of depth functions, without a loop: each
// calls the next one twice.
func Exponential(depth int) Module {
	funcs := make([]Func, depth)
	for i := range depth - 1 {
		next := Call(uint32(i + 1))
		funcs[i].Code = slices.Concat(next, next)
	}
	return Command(1, nil, funcs...)
}

// Recursion calls itself without end.
func Recursion() Module { return program(nil, Call(0), []byte{Nop}) }

// Trap reaches what must not be reached, three calls deep.
func Trap() Module {
	return Command(1, nil, Func{Code: Call(1)}, Func{Code: Call(2)}, Func{Code: []byte{Unreachable}})
}

// Sleep waits for an hour.
func Sleep() Module {
	const hour = 3600e9
	m := program([]Import{wasi("poll_oneoff")},
		I32Const(0), I32Const(512), I32Const(1), I32Const(1024), Call(0), []byte{Drop})
	m.Data = make([]byte, 48) // a subscription to a clock: see WASI's poll_oneoff
	for i := range 8 {
		m.Data[24+i] = byte(uint64(hour) >> (8 * i))
	}
	return m
}

// Read waits for a byte on stdin, and ends when there is one or none will come.
func Read() Module {
	return program([]Import{wasi("fd_read")}, Store(0, 64), Store(4, 1),
		I32Const(0), I32Const(0), I32Const(1), I32Const(16), Call(0), []byte{Drop})
}

// Echo writes every byte that it reads to stdout, until there are no more. It
// never looks at errors of writing.
func Echo() Module {
	ended := slices.Concat(I32Const(16), []byte{0x28, 2, 0, 0x45, 0x0d, 1}) // load, is it zero, leave the block
	return program([]Import{wasi("fd_read"), wasi("fd_write")}, Store(0, 64),
		[]byte{0x02, Empty},
		Loop(Store(4, 256),
			I32Const(0), I32Const(0), I32Const(1), I32Const(16), Call(0), []byte{Drop}, ended,
			I32Const(4), I32Const(16), []byte{0x28, 2, 0, 0x36, 2, 0}, // as many as were read
			I32Const(1), I32Const(0), I32Const(1), I32Const(24), Call(1), []byte{Drop}),
		[]byte{End})
}

// Flood writes to fd 1 or 2 without end, whatever it is told.
func Flood(fd int32) Module {
	m := program([]Import{wasi("fd_write")}, Loop(write(fd, 1000)))
	m.Data = bytes.Repeat([]byte("x"), 1000)
	return m
}

// Hoard asks for memory, a page at a time, until it gets none, and then traps.
func Hoard() Module {
	grow := slices.Concat(I32Const(16), []byte{0x40, 0}, I32Const(-1), []byte{0x46, 0x0d, 1}) // grow, is it -1, leave
	return program(nil, []byte{0x02, Empty}, Loop(grow), []byte{End, Unreachable})
}

// HugeFunction has one function of about size bytes with many values alive at once.
func HugeFunction(size int) Module {
	half := size / 4
	code := slices.Concat(
		bytes.Repeat([]byte{0x20, 0}, half/2), // local.get 0
		bytes.Repeat([]byte{0x6a}, half/2-1),  // i32.add
		[]byte{Drop})
	code = bytes.Repeat(code, 3)
	return Command(1, nil, Func{Locals: 1, Code: code})
}

// ManyFunctions has n functions that do nothing.
func ManyFunctions(n int) Module { return Command(1, nil, make([]Func, n)...) }

// GiantLocals has one function with n locals.
func GiantLocals(n uint32) Module { return Command(1, nil, Func{Locals: n}) }

// GiantTable has a table that starts with n elements.
func GiantTable(n uint32) Module {
	m := Return()
	m.Table = Bounds(n, n)
	return m
}

// TableHoard asks for a table of four thousand million elements, bit by bit, until
// it gets no more, and then traps.
func TableHoard() Module {
	const funcref, step = 0x70, 1 << 24
	grow := slices.Concat([]byte{0xd0, funcref}, I32Const(step), []byte{0xfc, 0x0f, 0, Drop})
	m := program(nil, Loop(grow))
	m.Table = Bounds(1, 1<<32-1)
	return m
}
