package engine

import (
	"time"

	buildkit "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/disk"
)

// Bounds of the build cache. The reserve is never collected: a disk that is
// full for other reasons must not cost the whole cache each time.
const (
	reservedCache = 5 << 30 // bytes
	maxCachePart  = 5       // one part in so many of the disk
	minFreePart   = 20
)

// gcPolicy says what of BuildKit's cache goes, and when.
func gcPolicy(root string) ([]buildkit.PruneInfo, error) {
	stat, err := disk.GetDiskStat(root)
	if err != nil {
		return nil, err
	}
	return policyFor(stat.Total), nil
}

// policyFor is gcPolicy for a disk of total bytes. Rules apply in order, the
// cheapest to make again go first.
func policyFor(total int64) []buildkit.PruneInfo {
	most := total / maxCachePart
	bounds := buildkit.PruneInfo{
		ReservedSpace: min(reservedCache, most),
		MaxUsedSpace:  most,
		MinFreeSpace:  total / minFreePart,
	}
	contexts := buildkit.PruneInfo{
		Filter:       []string{"type==source.local", "type==exec.cachemount", "type==source.git.checkout"},
		KeepDuration: 48 * time.Hour,
		MaxUsedSpace: 512 << 20,
	}
	old, all := bounds, bounds
	old.KeepDuration = 60 * 24 * time.Hour
	all.All = true
	return []buildkit.PruneInfo{contexts, old, bounds, all}
}
