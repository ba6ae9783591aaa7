package module

import "unicode/utf8"

// reader reads the binary format. After the first failure everything it returns
// is zero, and err is that failure; so callers ask once, at the end.
type reader struct {
	data []byte
	at   int // position in data
	base int // position of data in the file
	err  error
}

// fail keeps the first failure and stops the reader.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.data)
}

func (r *reader) invalid(format string, args ...any) {
	args = append([]any{r.base + r.at}, args...)
	r.fail(invalid("byte %d: "+format, args...))
}

func (r *reader) done() bool { return r.at == len(r.data) }

func (r *reader) byte() byte {
	if r.done() {
		r.invalid("ends too early")
		return 0
	}
	r.at++
	return r.data[r.at-1]
}

// take returns the next n bytes, without copying them.
func (r *reader) take(n uint32) []byte {
	if uint64(n) > uint64(len(r.data)-r.at) {
		r.invalid("%d bytes announced, %d are left", n, len(r.data)-r.at)
		return nil
	}
	r.at += int(n)
	return r.data[r.at-int(n) : r.at]
}

// sub returns a reader of the next n bytes.
func (r *reader) sub(n uint32) *reader {
	base := r.base + r.at
	data := r.take(n)
	return &reader{data: data, base: base, err: r.err}
}

// end fails unless everything was read, and hands failures to the reader that
// this one is a part of.
func (r *reader) end(whole *reader) {
	if !r.done() {
		r.invalid("%d bytes too many", len(r.data)-r.at)
	}
	if r.err != nil {
		whole.fail(r.err)
	}
}

// u32 reads a LEB128 number of 32 bits.
func (r *reader) u32() uint32 {
	var n uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		n |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			if n > 1<<32-1 {
				break
			}
			return uint32(n)
		}
	}
	r.invalid("a number of more than 32 bits")
	return 0
}

// skipSigned passes over a signed LEB128 number of at most n bytes.
func (r *reader) skipSigned(n int) {
	for range n {
		if r.byte()&0x80 == 0 {
			return
		}
	}
	r.invalid("a number that is too long")
}

// name reads a name that is no longer than most, in bytes.
func (r *reader) name(most int) string {
	n := r.u32()
	if int64(n) > int64(most) {
		r.fail(nameTooLong(int(n), most))
		return ""
	}
	text := r.take(n)
	if !utf8.Valid(text) {
		r.invalid("a name that is not UTF-8")
	}
	return string(text)
}

// count reads how many of something follow, of which each needs at least one byte.
func (r *reader) count(name, what string, most int) int {
	n := r.u32()
	if int64(n) > int64(most) {
		r.fail(limit(name, what, int(n), most))
		return 0
	}
	if int(n) > len(r.data)-r.at {
		r.invalid("%d %s announced in %d bytes", n, what, len(r.data)-r.at)
		return 0
	}
	return int(n)
}
