//go:build !linux

package engine

import (
	"context"
	"time"
)

// Reset does nothing: there is no engine on this system.
func Reset(context.Context, Dirs, string, time.Time) (string, error) { return "", nil }
