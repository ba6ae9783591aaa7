package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/container"
)

// TestNothingExpiresByTheWallClock checks that each time from which something
// expires has a monotonic reading, by which alone Go then subtracts. A wall
// clock that is set forward or back cannot be had in a test.
func TestNothingExpiresByTheWallClock(t *testing.T) {
	p := &pool{now: time.Now, max: 1, warm: make(map[string]*warm)}
	w := &warm{prepared: prepared{Container: &container.Container{ID: "c"}}, users: 1}
	p.warm["c"] = w
	p.give(w)
	k := newKeeper(nil, time.Now)
	k.add(container.Container{ID: "c"})
	k.retry("c", errIdle)
	var u uses
	u.due("image", time.Now())
	for what, at := range map[string]time.Time{
		"the last use of a container": w.used,
		"the next try of a removal":   k.kept["c"].next,
		"the noted use of an image":   u.noted["image"],
		"the last activity":           newActivity(time.Now).last,
	} {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s, %v, has no monotonic reading", what, at)
		}
	}
}
