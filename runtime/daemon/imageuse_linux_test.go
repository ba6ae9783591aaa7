package daemon

import (
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/runtime/spec"
)

func TestOnlyImagesWithASuccessorAreWithoutNeed(t *testing.T) {
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	image := func(ref string, idle, age time.Duration) usedImage {
		return usedImage{spec.Image{Ref: ref, Created: now.Add(-age)}, now.Add(-idle)}
	}
	all := []usedImage{
		image("wr.local/a/web:1", 30*day, 30*day),
		image("wr.local/a/made:2", 25*day, 25*day), // the last one made
		image("wr.local/b/lone:1", 20*day, 20*day),
		image("example.com/tools:1", 15*day, 15*day), // its tags follow from nothing
		image("example.com/tools:2", 14*day, 14*day),
		image("wr.local/a/made:1", 12*day, 40*day), // the last one used
		image("wr.local/a/web:2", 10*day, 10*day),
		image("wr.local/a/web:3", 2*day, 2*day),
		image("wr.local/a/web:4", day, day),
		image("wr.local/a/web:5", time.Minute, time.Minute),
		image("wr.local/a/web:6", -time.Minute, time.Minute),
		image("wr.local/a/web:7", -day, time.Minute), // by a clock that was wrong
	}
	needed := map[string]bool{"wr.local/a/web:2": true}
	stale, spare := part(all, needed, now, 7*day)
	if got := refs(stale); !slices.Equal(got, []string{"wr.local/a/web:1"}) {
		t.Errorf("without need are %v, want wr.local/a/web:1", got)
	}
	want := []string{
		"wr.local/a/web:3", "wr.local/a/web:4", // others have a successor, or follow from nothing
		"wr.local/a/made:2", "wr.local/b/lone:1", "example.com/tools:1", "example.com/tools:2", "wr.local/a/made:1", "wr.local/a/web:7",
	}
	if got := refs(spare); !slices.Equal(got, want) {
		t.Errorf("to be spared in need are %v", got)
	}
}

func refs(all []usedImage) []string {
	var out []string
	for _, i := range all {
		out = append(out, i.Ref)
	}
	return out
}

func TestARepositoryIsAReferenceWithoutItsTag(t *testing.T) {
	for ref, want := range map[string]string{
		"wr.local/acme/web:0123": "wr.local/acme/web",
		"localhost:5000/web":     "localhost:5000/web",
		"localhost:5000/web:1":   "localhost:5000/web",
		"web":                    "web",
	} {
		if got := repository(ref); got != want {
			t.Errorf("of %s: got %s, want %s", ref, got, want)
		}
	}
}

func TestAUseIsNotedOnceAnHour(t *testing.T) {
	var u uses
	now := time.Now()
	for _, step := range []struct {
		ref  string
		at   time.Duration
		want bool
	}{
		{"a", 0, true},
		{"a", noteEvery - 1, false},
		{"b", noteEvery - 1, true},
		{"a", noteEvery, true},
	} {
		if got := u.due(step.ref, now.Add(step.at)); got != step.want {
			t.Errorf("%s after %v: got %v, want %v", step.ref, step.at, got, step.want)
		}
	}
}
