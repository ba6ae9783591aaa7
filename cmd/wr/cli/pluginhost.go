package cli

import (
	"context"
	"fmt"

	"github.com/wr-build/wr/host/plugin/mount"
	"github.com/wr-build/wr/host/plugin/sandbox"
)

// hostPlugin is the process that runs a plugin. It is started by wr alone, with a
// socket as its control channel, and in no help: by hand there is nothing to do
// with it.
func (p Process) hostPlugin(ctx context.Context) int {
	if err := sandbox.Serve(ctx, mount.Tree); err != nil {
		fmt.Fprintf(p.Err, "wr plugin host: %v\n  it is what wr itself starts to run a plugin\n", err)
		return 3
	}
	return 0
}
