//go:build !linux

package engine

import (
	"context"
	"time"
)

// Reset reports that this system has no engine of its own.
func Reset(context.Context, Dirs, string, time.Time) (string, error) { return "", unsupported() }
