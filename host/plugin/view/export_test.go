package view

// Plain has the tree open directories one at a time, as without openat2.
func (t *Tree) Plain() { t.plain.Store(true) }
