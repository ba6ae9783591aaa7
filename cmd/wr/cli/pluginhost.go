package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
)

// hostPlugin is the process that runs a plugin. It is started by wr alone, with a
// socket as its control channel, and in no help: by hand there is nothing to do
// with it.
func (p Process) hostPlugin(ctx context.Context) int {
	if err := sandbox.Serve(ctx, showFiles); err != nil {
		fmt.Fprintf(p.Err, "wr plugin host: %v\n  it is what wr itself starts to run a plugin\n", err)
		return 3
	}
	return 0
}

// showFiles is what each instance of a plugin sees.
func showFiles(root *os.Root, mount json.RawMessage) (sandbox.Tree, error) {
	return vfs.NewTree(root, mount)
}
