package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// uploadTime is how long containerd may take to name an upload that it has
// begun. It needs microseconds.
const uploadTime = time.Second

// NamelessUploads returns the directories of uploads of which nobody knows whose
// they are: on a full disk containerd makes one and cannot write the name into
// it, and its collector does not remove all of one that is just being written
// to. The next collections pass them by. It takes a second if there are any.
func (d *Daemons) NamelessUploads(ctx context.Context) ([]string, error) {
	found, err := namelessUploads(d.dirs)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-time.After(uploadTime):
	}
	still, err := namelessUploads(d.dirs)
	return slices.DeleteFunc(still, func(dir string) bool { return !slices.Contains(found, dir) }), err
}

// namelessUploads may be of uploads that have just begun.
func namelessUploads(dirs Dirs) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dirs.ContainerdRoot(), "io.containerd.content.v1.content", "ingest", "*"))
	if err != nil {
		return nil, fmt.Errorf("find uploads without a name: %w", err)
	}
	return slices.DeleteFunc(all, func(dir string) bool {
		name, err := os.Stat(filepath.Join(dir, "ref"))
		return err == nil && name.Size() > 0 || err != nil && !errors.Is(err, os.ErrNotExist)
	}), nil
}

// sweepUploads removes those without a name while nobody begins any.
func sweepUploads(dirs Dirs) error {
	nameless, err := namelessUploads(dirs)
	for _, dir := range nameless {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}
