package engine

import (
	"testing"

	"github.com/moby/buildkit/util/disk"
)

func TestTheBudgetFollowsTheDiskButNeverBelowTheReserve(t *testing.T) {
	const gib = 1 << 30
	tests := map[string]struct {
		total, available, used int64
		want                   int64
	}{
		"a fifth of a big disk":                            {1000 * gib, 500 * gib, 50 * gib, 200 * gib},
		"a disk that is 81 % full costs nothing":           {1000 * gib, 190 * gib, 150 * gib, 200 * gib},
		"a disk with 2 % left gets its twentieth back":     {1000 * gib, 20 * gib, 150 * gib, 120 * gib},
		"a disk that others have filled keeps the reserve": {1000 * gib, 0, 20 * gib, reservedState},
		"a small disk keeps the reserve":                   {10 * gib, 5 * gib, 4 * gib, reservedState},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := budget(disk.DiskStat{Total: tt.total, Free: tt.available, Available: tt.available}, tt.used)
			if got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
