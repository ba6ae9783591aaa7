//go:build !linux

package cli

import (
	"context"

	"github.com/wr-build/wr/runtime/engine"
)

// Prepare says that there is no engine for this system, and what brings one.
func (c *engineServeCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	up := func() error { return engine.Up(ctx, engine.Start{Dirs: dirs}) }
	return deed{show: up, do: up}, nil
}
