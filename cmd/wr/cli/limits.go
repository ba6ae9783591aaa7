package cli

import (
	"context"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

// limitFlags replace the limits that wr.toml sets.
type limitFlags struct {
	CPUs    *float64         `name:"cpus" placeholder:"N" help:"Processors that the container may use, such as 1.5; 0: all."`
	Memory  *config.Size     `placeholder:"SIZE" help:"Memory of the container, such as 512MB or 2GiB; 0: no limit."`
	Pids    *int64           `placeholder:"N" help:"Processes and threads of the container; 0: the default, 4096."`
	Timeout *config.Duration `placeholder:"TIME" help:"How long it may take, such as 90s or 10m; 0: no limit."`
}

// limits are what was typed, when it makes sense.
func (f limitFlags) limits() (plan.Limits, error) {
	typed := plan.Limits(f)
	for _, wrong := range typed.Over(config.Limits{}).Check() {
		return plan.Limits{}, wrong.Fault()
	}
	return typed, nil
}

// within bounds what runs with ctx by a limit; 0 = there is none. The cause of
// its end says so.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, limit, spec.TimedOut(limit))
}
