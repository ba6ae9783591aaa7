package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/host/plugin/sandbox"
)

// compile makes a plugin's code while whoever adds it waits anyway, so that its
// first use does not. One that cannot be compiled cannot be added either.
func (a *app) compile(ctx context.Context, here *installed, p pin.Pin) error {
	process := a.process(p.Name, here.loader.Store.Path(p.Digest, p.Size), p.Digest)
	process.Limits, process.Progress = processLimits(p.Limits), a.preparing(p.Name)
	return sandbox.Compile(ctx, process)
}

// processLimits are those of a plugin's limits that bound its process.
func processLimits(l config.PluginLimits) sandbox.Limits {
	return sandbox.Limits{
		Memory: int64(l.Memory), Instances: int(l.Instances), Output: int64(l.Output), Log: int64(l.Log), Files: int(l.Files),
		Module: plugin.ModuleLimits(l), CompileMemory: int64(l.CompileMemory), CompileTime: time.Duration(l.CompileTime),
	}
}

// preparing says what takes a while, once for each version of a plugin.
func (a *app) preparing(name string) func(sandbox.Progress) {
	return func(at sandbox.Progress) {
		switch {
		case a.Quiet:
		case at.Stage == sandbox.StageWait:
			fmt.Fprintf(a.Err, "waiting for another wr that compiles plugin %s\n", name)
		case at.Stage == sandbox.StageCompile:
			fmt.Fprintf(a.Err, "compiling plugin %s: %s, %d functions\n", name, units.BytesSize(float64(at.Size)), at.Functions)
		}
	}
}
