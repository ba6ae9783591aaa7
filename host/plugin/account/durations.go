package account

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Durations are many durations in little room, which can be added up: their number,
// sum and largest, and how many lie in each of steps that are 9 % wide.
type Durations struct {
	Count int64         `json:"count"`
	Total time.Duration `json:"total"` // nanoseconds
	Max   time.Duration `json:"max"`   // nanoseconds
	Steps map[int]int64 `json:"steps"` // step n begins at 2^(n/8) nanoseconds
}

// stepsPerDouble is how many steps there are from a duration to twice it.
const stepsPerDouble = 8

// Add adds one.
func (d *Durations) Add(one time.Duration) {
	one = max(one, 1)
	step := int(math.Floor(math.Log2(float64(one)) * stepsPerDouble))
	d.Merge(Durations{Count: 1, Total: one, Max: one, Steps: map[int]int64{step: 1}})
}

// Merge adds others.
func (d *Durations) Merge(o Durations) {
	d.Count += o.Count
	d.Total += o.Total
	d.Max = max(d.Max, o.Max)
	for step, n := range o.Steps {
		if d.Steps == nil {
			d.Steps = map[int]int64{}
		}
		d.Steps[step] += n
	}
}

// Median is a duration that half of them do not exceed, within 5 %; 0 of none.
func (d *Durations) Median() time.Duration {
	var seen int64
	for _, step := range slices.Sorted(maps.Keys(d.Steps)) {
		if seen += d.Steps[step]; 2*seen >= d.Count {
			return min(d.Max, time.Duration(math.Exp2((float64(step)+0.5)/stepsPerDouble)))
		}
	}
	return 0
}
