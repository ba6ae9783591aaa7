package inputs

import (
	"cmp"
	"slices"
)

// Change is one input that differs between two keys.
type Change struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name,omitempty"`
	Before string `json:"before,omitempty"` // "" = it was not there
	After  string `json:"after,omitempty"`  // "" = it is gone
}

// Diff says which inputs make after another key than before. Keys of the same
// digest have none.
func Diff(before, after Key) []Change {
	type id struct {
		kind Kind
		name string
	}
	old := make(map[id]string, len(before.Parts))
	for _, p := range before.Parts {
		old[id{p.Kind, p.Name}] = p.Value
	}
	var changes []Change
	for _, p := range after.Parts {
		value, ok := old[id{p.Kind, p.Name}]
		if !ok || value != p.Value {
			changes = append(changes, Change{Kind: p.Kind, Name: p.Name, Before: value, After: p.Value})
		}
		delete(old, id{p.Kind, p.Name})
	}
	for gone, value := range old {
		changes = append(changes, Change{Kind: gone.kind, Name: gone.name, Before: value})
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return changes
}
