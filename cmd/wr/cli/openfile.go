package cli

import (
	"context"
	"os/exec"
	"runtime"
)

// openFile has the desktop show a file, and reports whether there is one that did.
func (a *app) openFile(ctx context.Context, path string) bool {
	opener := "xdg-open"
	if runtime.GOOS == "darwin" {
		opener = "open"
	} else if a.Getenv("DISPLAY") == "" && a.Getenv("WAYLAND_DISPLAY") == "" {
		return false
	}
	return exec.CommandContext(ctx, opener, path).Run() == nil
}
