package module

// The instructions that constants are made of.
const (
	opEnd       = 0x0b
	opGlobalGet = 0x23
	opI32Const  = 0x41
	opI64Const  = 0x42
	opF32Const  = 0x43
	opF64Const  = 0x44
	opRefNull   = 0xd0
	opRefFunc   = 0xd2
	opVector    = 0xfd
	opV128Const = 0x0c // behind opVector
)

// constant passes over an expression that is known before the module runs.
func (c *checker) constant(r *reader) {
	switch op := r.byte(); op {
	case opI32Const:
		r.skipSigned(5)
	case opI64Const:
		r.skipSigned(10)
	case opF32Const:
		r.take(4)
	case opF64Const:
		r.take(8)
	case opGlobalGet:
		r.u32()
	case opRefNull:
		r.reference()
	case opRefFunc:
		c.function(r)
	case opVector:
		if r.u32() != opV128Const {
			r.invalid("a vector that is no constant")
		}
		r.take(16)
	default:
		r.invalid("instruction %#x in a constant", op)
	}
	if r.byte() != opEnd {
		r.invalid("a constant that does not end")
	}
}

// What the flags of a segment of elements say.
const (
	elementsPassive     = 1 << iota // or declared
	elementsNumbered                // names its table; declared, if passive too
	elementsExpressions             // given as constants, not as indices
	elementsFlags       = 1<<iota - 1
)

func (c *checker) readElements(r *reader) {
	for range r.count("segments", "segments of elements", c.limits.Segments) {
		flags := r.u32()
		if flags > elementsFlags {
			r.invalid("segment of elements with flags %#x", flags)
		}
		active := flags&elementsPassive == 0
		if active {
			c.place(r, flags&elementsNumbered != 0, c.tables)
		}
		if flags&(elementsPassive|elementsNumbered) != 0 {
			c.elementKind(r, flags&elementsExpressions != 0)
		}
		c.elementList(r, flags&elementsExpressions != 0)
	}
}

// place reads where an active segment goes: into which of how many tables or
// memories, and to which offset.
func (c *checker) place(r *reader, numbered bool, of int) {
	target := uint32(0)
	if numbered {
		target = r.u32()
	}
	if int64(target) >= int64(of) {
		r.invalid("a segment for table or memory %d of %d", target, of)
	}
	c.constant(r)
}

// elementKind reads what a segment of elements holds.
func (c *checker) elementKind(r *reader, expressions bool) {
	if expressions {
		r.reference()
	} else if r.byte() != 0 {
		r.invalid("a segment of what are no functions")
	}
}

func (c *checker) elementList(r *reader, expressions bool) {
	for range r.count("functions", "elements of one segment", len(r.data)) {
		if expressions {
			c.constant(r)
		} else {
			c.function(r)
		}
	}
}

// What the flags of a segment of data say.
const (
	dataActive   = 0
	dataPassive  = 1
	dataNumbered = 2 // active, names its memory
)

func (c *checker) readData(r *reader) {
	c.segments = r.count("segments", "segments of data", c.limits.Segments)
	for range c.segments {
		switch flags := r.u32(); flags {
		case dataActive, dataNumbered:
			c.place(r, flags == dataNumbered, c.memories)
		case dataPassive:
		default:
			r.invalid("segment of data with flags %#x", flags)
		}
		r.take(r.u32())
	}
}
