package daemon

import (
	"cmp"
	"context"
	"time"
)

// DefaultUnused is how long ago an image that has a successor must have been
// used for the last time before cleaning up removes it.
const DefaultUnused = 7 * 24 * time.Hour

// Cleaning says what to clean up.
type Cleaning struct {
	Keep   []string      `json:"keep,omitempty"`   // references of images that are needed
	Budget int64         `json:"budget"`           // bytes that images and caches may take; < 0 = as the disk allows
	Unused time.Duration `json:"unused,omitempty"` // since when a thing must be unused to go without need; 0 = DefaultUnused
	DryRun bool          `json:"dryRun,omitempty"` // only say what would go
}

// unused is Unused or its default.
func (c Cleaning) unused() time.Duration { return cmp.Or(c.Unused, DefaultUnused) }

// Kind says what was cleaned up.
type Kind string

// What cleaning up removes.
const (
	KindLeftover  Kind = "leftover"  // of containers whose owner or engine died
	KindContainer Kind = "container" // kept, and used by nobody
	KindImage     Kind = "image"     // made from inputs, and used by nobody
	KindCache     Kind = "cache"     // of BuildKit
	KindDamaged   Kind = "damaged"   // state that was put aside as damaged
	KindHelpers   Kind = "helpers"   // programs that another build of wr has unpacked
)

// Cleaned says what cleaning up has done, or would do.
type Cleaned struct {
	Removed []Removed `json:"removed"` // in this order
	Before  int64     `json:"before"`  // bytes that the engine's state took
	After   int64     `json:"after"`   // bytes that it takes now; with DryRun, an estimate
	Budget  int64     `json:"budget"`  // bytes that were allowed
}

// Removed is one thing that went.
type Removed struct {
	Kind Kind      `json:"kind"`
	Name string    `json:"name"`
	Size int64     `json:"size,omitempty"` // bytes at most: others may share some
	Used time.Time `json:"used,omitzero"`  // last, as far as known
	Why  string    `json:"why"`
}

// Clean removes what wr made and nobody needs, then what was used least
// recently until the budget is met or the rest is in use.
func (c *Client) Clean(ctx context.Context, what Cleaning) (Cleaned, error) {
	r, err := c.ask(ctx, request{Operation: opClean, Cleaning: &what})
	if err != nil || r.Cleaned == nil {
		return Cleaned{}, err
	}
	return *r.Cleaned, nil
}
