// Command wr-plugin is the process that runs a plugin, see package sandbox: what
// `wr plugin host` is too, in a program that starts in a fifth of the time, since
// nothing else is in it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
)

func main() { os.Exit(run(context.Background(), os.Stderr)) }

// run is the process, and returns its exit code.
func run(ctx context.Context, stderr io.Writer) int {
	if err := sandbox.Serve(ctx, mount); err != nil {
		fmt.Fprintf(stderr, "wr-plugin: %v\n  it is what wr itself starts to run a plugin\n", err)
		return 3
	}
	return 0
}

// mount is what each instance of a plugin sees.
func mount(root *os.Root, config json.RawMessage) (sandbox.Tree, error) {
	return vfs.NewTree(root, config)
}
