package workspace

import "testing"

func TestNamesMayBeAnythingButText(t *testing.T) {
	w := loaded(t, tree(t, "-- .git/ --\n-- a\xff\xfe/devops/ --\n"))
	if got := paths(w.Projects); got != "a\xff\xfe" || len(w.Faults) > 0 {
		t.Errorf("got projects %q and faults %v", got, w.Faults)
	}
	if p, err := w.Find("a\xff\xfe"); err != nil || p.Name != "a\xff\xfe" {
		t.Errorf("got %+v, %v", p, err)
	}
}
