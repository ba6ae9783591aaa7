// Command host is the process that runs plugins in tests: it is built without cgo,
// as wr is, also where the race detector wants cgo in the test itself.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
)

func main() {
	if err := sandbox.Serve(context.Background(), mount); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func mount(root *os.Root, mount json.RawMessage) (sandbox.Tree, error) {
	return vfs.NewTree(root, mount)
}
