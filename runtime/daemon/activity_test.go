package daemon

import (
	"testing"
	"time"
)

func TestActivityIsIdleOnlyWhenNothingGoesOn(t *testing.T) {
	now := time.Unix(0, 0)
	a := newActivity(func() time.Time { return now })
	pass := func(d time.Duration) { now = now.Add(d) }
	check := func(what string, want time.Duration) {
		t.Helper()
		if got := a.idle(); got != want {
			t.Errorf("%s: idle for %v, want %v", what, got, want)
		}
	}
	pass(time.Minute)
	check("nothing yet", time.Minute)
	first, second := a.begin(), a.begin()
	pass(time.Hour)
	check("two go on", 0)
	first()
	pass(time.Hour)
	check("one goes on", 0)
	second()
	check("just ended", 0)
	pass(time.Second)
	check("ended before", time.Second)
	a.touch()
	check("touched", 0)
}
