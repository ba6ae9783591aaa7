// Command pytest is the plugin that finds pytest's tests without Python.
package main

import (
	"context"

	"github.com/wr-build/wr/host/pyscan/discovery"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	wr.Main(wr.Plugin{Name: "pytest", Version: "0.1.0", Discover: discover})
}

func discover(_ *wr.Call, p abi.DiscoverParams) ([]abi.TestFile, error) {
	found, err := discovery.Of(context.Background(), wr.Source(), p) //nolint:forbidigo // the host ends a plugin from outside
	return found.Files, err
}
