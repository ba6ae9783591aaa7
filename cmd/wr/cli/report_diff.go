package cli

import (
	"context"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// reportDiffCmd is `wr report diff [A] [B]`.
type reportDiffCmd struct {
	A string `arg:"" predictor:"run" optional:"" name:"a" help:"The run before, named as for wr report; default: the one before B."`
	B string `arg:"" predictor:"run" optional:"" default:"latest" name:"b" help:"The run after."`
}

// Help is the long form.
func (reportDiffCmd) Help() string {
	return "A duration has changed much if it is twice as long or half, and by half a second or more. That runs differ is no failure."
}

// Read prints what differs.
func (c *reportDiffCmd) Read(ctx context.Context, a *app) error {
	after, err := a.loadRun(ctx, c.B)
	if err != nil {
		return err
	}
	if c.A == "" {
		if c.A, err = a.runBefore(ctx, after.ID); err != nil {
			return err
		}
	}
	before, err := a.loadRun(ctx, c.A)
	if err != nil {
		return err
	}
	d := report.Compare(before, after)
	if a.JSON {
		return a.printJSON(d)
	}
	return ui.Difference(a.Out, a.style(a.Out), d)
}

func (a *app) loadRun(ctx context.Context, name string) (*report.Run, error) {
	dir, err := a.runDir(ctx, name)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Load()
}

// runBefore is the id of the run before the one with that id.
func (a *app) runBefore(ctx context.Context, id string) (string, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return "", err
	}
	before := testrun.Before(ws.Root, id)
	if before == "" {
		return "", &fault.Error{
			Code: "run.no_other", Message: "no run before " + id + " is kept, so there is nothing to compare it with", Next: "wr report ls",
		}
	}
	return before, nil
}
