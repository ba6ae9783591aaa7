//go:build !linux

package engine

import (
	"context"
	"runtime"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Up reports that this system has no engine of its own.
func Up(context.Context, Start) error { return unsupported() }

func unsupported() error {
	return &fault.Error{
		Code:    "engine.unsupported",
		Message: "containers need Linux, and this is " + runtime.GOOS,
		Next:    "run `limactl start --name=wr template://debian && limactl shell wr`: a Linux machine in which wr works as it is",
	}
}

// Holder returns false: no engine runs on this system.
func Holder(Dirs) (Hold, bool) { return Hold{}, false }
