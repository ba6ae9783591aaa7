package main

import (
	"fmt"
	"io"
	"time"
)

// goal is what one subject of a contest is to reach.
type goal struct {
	of   int     // the subject
	over int     // the subject that it is compared with; itself = nothing, but time
	most float64 // how often the other's time; or milliseconds
}

// tell says whether the median of a contest reaches the goal.
func (g goal) tell(w io.Writer, subjects []subject, medians []time.Duration) {
	got, unit := float64(medians[g.of])/float64(medians[g.over]), " times "+subjects[g.over].name
	if g.of == g.over {
		got, unit = float64(medians[g.of])/float64(time.Millisecond), " ms"
	}
	verdict := "kept"
	if got > g.most {
		verdict = "MISSED"
	}
	fmt.Fprintf(w, "  goal %s: %s: %.3g%s, at most %.3g\n", verdict, subjects[g.of].name, got, unit, g.most)
}
