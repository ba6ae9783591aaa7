package cli

import (
	"context"
	"fmt"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
)

// Run is the engine process.
func (c *engineServeCmd) Run(ctx context.Context, a *app) error {
	dirs, err := a.dirs()
	if err != nil {
		return err
	}
	if a.DryRun {
		_, err := fmt.Fprintln(a.Out, "would be the engine of", dirs.State)
		return err
	}
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
