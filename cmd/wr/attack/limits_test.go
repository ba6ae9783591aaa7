package attack

import (
	"slices"
	"strconv"
	"testing"
	"time"

	m "github.com/wr-build/wr/host/plugin/module/moduletest"
)

// wasi is a function of WASI preview 1.
func wasi(name string) m.Import {
	return m.Import{Module: "wasi_snapshot_preview1", Name: name, Type: m.Signature{Params: []byte{m.I32, m.I32, m.I32, m.I32}, Results: []byte{m.I32}}}
}

// mark is what modules that are made by hand say on stderr before they attack.
const mark = "here I go\n"

// bare is a module made by hand: it says mark and then does code, beside which there
// are further functions, the first of them with the number 2.
func bare(code []byte, further ...m.Func) m.Module {
	const at = 1024
	said := slices.Concat(m.Store(at, 0), m.Store(at+4, int32(len(mark))),
		m.I32Const(2), m.I32Const(at), m.I32Const(1), m.I32Const(at+8), m.Call(0), []byte{m.Drop})
	module := m.Command(1<<16, []m.Import{wasi("fd_write")}, slices.Insert(further, 0, m.Func{Code: slices.Concat(said, code)})...)
	module.Data = []byte(mark)
	return module
}

// exponential calls two to the power of depth functions, without a loop.
func exponential(depth int) []byte {
	further := make([]m.Func, depth)
	for i := range depth - 1 {
		next := m.Call(uint32(i + 3))
		further[i].Code = slices.Concat(next, next)
	}
	return bare(m.Call(2), further...).Bytes()
}

// tables asks for more elements of a table until it gets none, and traps.
func tables() []byte {
	const funcref, step = 0x70, 1 << 24
	module := bare(m.Loop(slices.Concat([]byte{0xd0, funcref}, m.I32Const(step), []byte{0xfc, 0x0f, 0, m.Drop})))
	module.Table = m.Bounds(1, 1<<32-1)
	return module.Bytes()
}

func TestWhatNeverEndsOrGrowsIsStopped(t *testing.T) {
	const soon = time.Second
	runAll(t, map[string]attack{
		"an endless loop":                {tries: []string{"loop"}, deadline: soon, code: "plugin.timeout"},
		"an endless loop at the start":   {module: func() []byte { return bare(m.Loop()).Bytes() }, deadline: soon, code: "plugin.timeout", says: []string{mark}},
		"calls without a loop":           {module: func() []byte { return exponential(60) }, deadline: soon, code: "plugin.timeout", says: []string{mark}},
		"a sleep":                        {tries: []string{"sleep"}, deadline: soon, code: "plugin.timeout"},
		"a read that blocks":             {tries: []string{"wait"}, deadline: soon, code: "plugin.timeout"},
		"recursion":                      {tries: []string{"recurse"}, code: "plugin.limit", says: []string{"memory"}, long: true},
		"recursion that needs no memory": {module: func() []byte { return bare(m.Call(2), m.Func{Code: slices.Concat(m.Call(2), []byte{m.Nop})}).Bytes() }, code: "plugin.limit", says: []string{"stack", mark}},
		"memory":                         {tries: []string{"hoard"}, code: "plugin.limit", says: []string{"memory"}},
		"a table":                        {module: tables, code: "plugin.host_memory", says: []string{mark}, peak: 2 << 30, long: true},
		"files in memory":                {tries: []string{"fill /tmp/x = 64 I/O error", "fill /out/y = 0 I/O error"}},
		"messages":                       {tries: []string{"flood"}, code: "plugin.limit", says: []string{"output"}, long: true},
		"notifications":                  {tries: []string{"notes 1000000"}, flags: []string{"--limit", "output=16MiB"}, code: "plugin.limit", says: []string{"output"}, long: true},
		"a log on stderr": {
			module: func() []byte { return m.Flood(2).Bytes() }, deadline: soon, code: "plugin.timeout", says: []string{"xxxx"},
		},
		"a million questions":                {tries: []string{"ask 1000000 hash"}, deadline: 2 * soon, code: "plugin.timeout"},
		"questions that are not listened to": {tries: []string{"asks 1000000"}, deadline: 2 * soon, code: "plugin.timeout"},
	})
}

func TestAnAttackOnEachFileIsStoppedInTime(t *testing.T) {
	row := attack{
		plant: func(f *field) {
			for i := range 20 {
				f.write("ws/p/more"+strconv.Itoa(i)+".py", "")
			}
		},
		more: "stateless = true", tries: []string{"loop"}, deadline: time.Second, code: "plugin.timeout", files: 21, turns: 6, // it may break three times, and a call that is stopped for another is made again
	}
	row.run(t)
}
