package sandbox

import "encoding/binary"

// Usage is what an instance has needed, as far as is known: when it printed what was
// last read of Stdout, or at its end.
func (i *Instance) Usage() Usage {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.used
}

// use notes what the instance needs by now. Why the larger of what was known: a
// child is not trusted to count, and nothing is ever given back.
func (i *Instance) use(now Usage) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.used = Usage{
		Time: max(i.used.Time, now.Time), Memory: max(i.used.Memory, now.Memory), Output: max(i.used.Output, now.Output),
		Files: max(i.used.Files, now.Files), Read: max(i.used.Read, now.Read),
	}
}

// usageSize is the length of a usage behind notes.
const usageSize = 3 * 8

// encode writes what decodeUsage reads: memory, files and bytes read.
func (u Usage) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(u.Memory))
	b = binary.BigEndian.AppendUint64(b, uint64(u.Files))
	return binary.BigEndian.AppendUint64(b, uint64(u.Read))
}

// decodeUsage reads at least usageSize bytes.
func decodeUsage(b []byte) Usage {
	number := func(n int) int64 { return int64(binary.BigEndian.Uint64(b[8*n:])) }
	return Usage{Memory: number(0), Files: int(number(1)), Read: number(2)}
}
