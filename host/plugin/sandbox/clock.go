package sandbox

import "time"

// epoch is what time it is for guests without the real one: the beginning of
// 2022, in seconds since 1970.
const epoch = 1_640_995_200

// clock is the time of one guest. Its wall clock stands still. The monotonic one
// moves by what the guest sleeps, really sleeps, and a little with each look, so
// that whoever waits for it to move does not wait for ever. All of it depends on
// what the guest does, and on nothing else.
type clock struct{ now int64 } // in nanoseconds

func (c *clock) wall() (seconds int64, nanoseconds int32) { return epoch, 0 }

func (c *clock) monotonic() int64 {
	c.now += int64(time.Microsecond)
	return c.now
}

// sleep waits as long as it is told; the child is killed if that is too long.
func (c *clock) sleep(nanoseconds int64) {
	time.Sleep(time.Duration(nanoseconds))
	c.now += nanoseconds
}
