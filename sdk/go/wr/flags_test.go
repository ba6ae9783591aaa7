package wr_test

import (
	"slices"
	"testing"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func TestFlagsAreReadAsWhatTheyAre(t *testing.T) {
	f := wr.FlagsOf(abi.TaskParams{Flags: map[string][]string{"s": {"a", "b"}, "yes": {"true"}, "no": {"false"}, "n": {"-3"}, "odd": {"x"}}})
	if f.String("s") != "b" || f.String("none") != "" {
		t.Errorf("strings: %q, %q", f.String("s"), f.String("none"))
	}
	if !f.Bool("yes") || f.Bool("no") || f.Bool("none") || f.Bool("s") {
		t.Error("bools are wrong")
	}
	if n, given := f.Int("n"); n != -3 || !given {
		t.Errorf("got %d, %v", n, given)
	}
	for _, name := range []string{"none", "odd"} {
		if n, given := f.Int(name); n != 0 || given {
			t.Errorf("%s: got %d, %v", name, n, given)
		}
	}
	if !slices.Equal(f.List("s"), []string{"a", "b"}) || f.List("none") != nil {
		t.Errorf("lists: %q, %q", f.List("s"), f.List("none"))
	}
}
