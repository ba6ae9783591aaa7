package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/helper"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// engineResetCmd is `wr engine reset`.
type engineResetCmd struct {
	Yes   bool `short:"y" help:"Do not ask."`
	Keep  bool `help:"Put images and caches aside instead of deleting them; wr gc deletes them later."`
	Force bool `help:"Also when containers or builds are running."`
}

// Prepare finds the engine to reset. It need not run, nor be able to.
func (c *engineResetCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("end the engine of", dirs.State, "and delete its images and caches"),
		do: func() error {
			if err := c.confirm(a, dirs); err != nil {
				return err
			}
			return c.reset(ctx, a, dirs)
		},
	}, nil
}

// confirm asks the person at the terminal, unless told not to.
func (c *engineResetCmd) confirm(a *app, dirs engine.Dirs) error {
	if c.Yes || a.confirm("All images and caches in "+dirs.State+" go. Continue?") {
		return nil
	}
	return &fault.Error{
		Code: "engine.unconfirmed", Class: fault.Usage,
		Message: "nothing was reset: nobody has confirmed it", Next: "wr engine reset --yes",
	}
}

// reset ends the engine, when one runs, and deletes what it has.
func (c *engineResetCmd) reset(ctx context.Context, a *app, dirs engine.Dirs) error {
	client, err := daemon.Dial(ctx, dirs)
	if err == nil {
		err = client.Stop(ctx, c.Force)
	}
	if fault.HasCode(err, "engine.down") || fault.HasCode(err, "engine.lost") { // it has died, or does just now
		err = nil
	}
	if err != nil {
		return err
	}
	set, err := helper.Unpack(dirs.State)
	if err != nil {
		return err
	}
	aside, err := engine.Reset(ctx, dirs, set.Runc.Path, time.Now())
	if err != nil {
		return err
	}
	if !c.Keep {
		if err := os.RemoveAll(aside); err != nil {
			return fmt.Errorf("delete images and caches: %w", err)
		}
		aside = ""
	}
	if a.JSON {
		return a.printJSON(map[string]string{"state": dirs.State, "aside": aside})
	}
	if c.Keep {
		fmt.Fprintf(a.Out, "put aside in %s\n", aside)
	}
	return nil
}
