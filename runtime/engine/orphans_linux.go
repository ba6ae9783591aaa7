package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// Orphans returns the containers that the OCI runtime knows and containerd
// does not. Those of build steps are no concern of a running engine: it swept
// those of the one before at its start and removes its own.
func (d *Daemons) Orphans(ctx context.Context) ([]string, error) {
	found, err := os.ReadDir(d.orphanRoot())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no container ever ran
	}
	if err != nil {
		return nil, fmt.Errorf("find orphans: %w", err)
	}
	// Why the records come second: each is there before the runtime's state
	// and stays longer.
	records, err := d.client.ContainerService().List(namespaces.WithNamespace(ctx, Namespace))
	if err != nil {
		return nil, fmt.Errorf("find orphans: %w", err)
	}
	known := make(map[string]bool)
	for _, r := range records {
		known[r.ID] = true
	}
	found = slices.DeleteFunc(found, func(e fs.DirEntry) bool { return known[e.Name()] })
	ids := make([]string, len(found))
	for i, e := range found {
		ids[i] = e.Name()
	}
	return ids, nil
}

// RemoveOrphan kills and forgets a container that Orphans has returned.
func (d *Daemons) RemoveOrphan(ctx context.Context, id string) error {
	return DeleteContainer(ctx, d.runc, d.orphanRoot(), id)
}

// orphanRoot is where the OCI runtime has the state of our containers.
func (d *Daemons) orphanRoot() string { return filepath.Join(d.dirs.RuncRoot(), Namespace) }
