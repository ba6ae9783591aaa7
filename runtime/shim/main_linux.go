// Command shim is containerd's runc shim as wr ships it: built without gRPC
// (tag no_grpc), which makes it start in a quarter of the time.
package main

import (
	"context"

	"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task/plugin" // the task service
	"github.com/containerd/containerd/v2/pkg/shim"
)

func main() { shim.RunShim(context.Background(), manager.NewShimManager("io.containerd.runc.v2")) }
