//go:build !linux

package cli

import (
	"context"

	"github.com/wr-build/wr/runtime/engine"
)

// Run says that there is no engine for this system, and what brings one.
func (c *engineServeCmd) Run(ctx context.Context, a *app) error {
	dirs, err := a.dirs()
	if err != nil {
		return err
	}
	return engine.Up(ctx, engine.Start{Dirs: dirs})
}
