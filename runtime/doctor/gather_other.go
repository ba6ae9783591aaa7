//go:build !linux

package doctor

import (
	"context"
	"runtime"

	"github.com/wr-build/wr/runtime/engine"
)

// Gather knows of other systems only what brings an engine to them.
func Gather(ctx context.Context, c Config) Facts {
	return Facts{Config: c, System: runtime.GOOS, Foreign: engine.Up(ctx, engine.Start{Dirs: c.Dirs})}
}
