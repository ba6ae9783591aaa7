package engine

import (
	"fmt"

	"github.com/moby/buildkit/util/disk"
)

// reservedState is what images and caches may always take: cleaning up never
// goes below it by itself.
const reservedState = reservedCache

// Budget is how many bytes images and caches should take at most when they
// take used now: one part in maxCachePart of their disk, and less while the
// disk is nearly full, but never less than the reserve.
//
// Why a reserve: a disk that others fill is not mended by throwing the cache
// away, which then is missed at every build (buildkit#14181).
func (d *Daemons) Budget(used int64) (int64, error) {
	stat, err := disk.GetDiskStat(d.dirs.State)
	if err != nil {
		return 0, fmt.Errorf("size of the disk: %w", err)
	}
	return budget(stat, used), nil
}

func budget(stat disk.DiskStat, used int64) int64 {
	most := stat.Total / maxCachePart
	if lack := stat.Total/minFreePart - stat.Available; lack > 0 {
		most = min(most, used-lack)
	}
	return max(most, reservedState)
}
