package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// uploadTime is how long containerd may take to name an upload that it has
// begun. It needs microseconds.
const uploadTime = time.Second

// NamelessUploads returns the directories of uploads of which nobody knows whose
// they are: containerd makes one, and on a full disk cannot write the name into
// it. Its own collector passes them by.
func (d *Daemons) NamelessUploads(now time.Time) ([]string, error) {
	return namelessUploads(d.dirs, now.Add(-uploadTime))
}

// namelessUploads are those that were begun before a time.
func namelessUploads(dirs Dirs, before time.Time) ([]string, error) {
	all, err := filepath.Glob(filepath.Join(dirs.ContainerdRoot(), "io.containerd.content.v1.content", "ingest", "*"))
	if err != nil {
		return nil, fmt.Errorf("find uploads without a name: %w", err)
	}
	var nameless []string
	for _, dir := range all {
		begun, err := os.Stat(dir)
		if err != nil || !begun.ModTime().Before(before) {
			continue // it has just ended or begun
		}
		if name, err := os.Stat(filepath.Join(dir, "ref")); errors.Is(err, os.ErrNotExist) || err == nil && name.Size() == 0 {
			nameless = append(nameless, dir)
		}
	}
	return nameless, nil
}

// sweepUploads removes those without a name while nobody begins any.
func sweepUploads(dirs Dirs, now time.Time) error {
	nameless, err := namelessUploads(dirs, now)
	for _, dir := range nameless {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	return err
}
