package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	buildkit "github.com/moby/buildkit/client"
)

// CacheRecord is one entry of BuildKit's cache.
type CacheRecord struct {
	Name string    // what the build step did
	Size int64     // bytes
	Used time.Time // last
}

// Cache returns the records of BuildKit's cache that could go, the oldest use
// first, and how many bytes the cache takes besides what images share with it.
func (d *Daemons) Cache(ctx context.Context) (unused []CacheRecord, size int64, err error) {
	if !d.everBuilt() {
		return nil, 0, nil
	}
	client, err := d.buildkit(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer client.Close()
	all, err := client.DiskUsage(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("size of the build cache: %w", err)
	}
	for _, one := range all {
		if one.Shared {
			continue
		}
		size += one.Size
		if !one.InUse && one.RecordType != buildkit.UsageRecordTypeInternal && one.RecordType != buildkit.UsageRecordTypeFrontend {
			unused = append(unused, toRecord(*one))
		}
	}
	slices.SortFunc(unused, func(a, b CacheRecord) int { return a.Used.Compare(b.Used) })
	return unused, size, nil
}

// PruneCache removes records of BuildKit's cache until it takes at most that
// many bytes, or all the rest is in use, and returns them.
func (d *Daemons) PruneCache(ctx context.Context, most int64) ([]CacheRecord, error) {
	if !d.everBuilt() {
		return nil, nil
	}
	client, err := d.buildkit(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var gone []CacheRecord
	removed := make(chan buildkit.UsageInfo)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for one := range removed {
			gone = append(gone, toRecord(one))
		}
	}()
	// Why at least 1: to BuildKit, no bound at all is another wish.
	err = client.Prune(ctx, removed, buildkit.WithKeepOpt(0, 0, max(most, 1), 0))
	close(removed)
	<-done
	if err != nil {
		return gone, fmt.Errorf("prune the build cache: %w", err)
	}
	return gone, nil
}

// everBuilt reports whether BuildKit has a cache. It need not be started to
// learn that it has none.
func (d *Daemons) everBuilt() bool {
	_, err := os.Stat(filepath.Join(d.dirs.BuildkitRoot(), "metadata_v2.db"))
	return err == nil
}

// buildkit connects to BuildKit as everybody else does.
func (d *Daemons) buildkit(ctx context.Context) (*buildkit.Client, error) {
	client, err := buildkit.New(ctx, "unix://"+d.dirs.BuildkitSocket())
	if err != nil {
		return nil, fmt.Errorf("connect to buildkit: %w", err)
	}
	return client, nil
}

func toRecord(one buildkit.UsageInfo) CacheRecord {
	r := CacheRecord{Name: one.Description, Size: one.Size, Used: one.CreatedAt}
	if one.LastUsedAt != nil {
		r.Used = *one.LastUsedAt
	}
	return r
}
