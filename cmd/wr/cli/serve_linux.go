package cli

import (
	"context"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
)

// Prepare finds out which engine to be.
func (c *engineServeCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("be the engine of", dirs.State),
		do:   func() error { return c.serve(ctx, a, dirs) },
	}, nil
}

// serve is the engine process.
func (c *engineServeCmd) serve(ctx context.Context, a *app, dirs engine.Dirs) error {
	a.collectGarbage(100)
	ready := engine.ReadyFile()
	ctx, stop := engine.Signals(context.WithoutCancel(ctx))
	defer stop()
	return daemon.Serve(ctx, daemon.Config{
		Dirs: dirs, Version: Version(), Group: c.Group, Idle: c.Idle,
		Ready: func(err error) {
			if reportErr := engine.Ready(ready, err); reportErr != nil {
				a.log.Warn().Err(reportErr).Msg("nobody waits for the engine any more")
			}
		},
	})
}
