package engine

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/containerd/log"
)

// Signals returns a context that ends with SIGTERM or SIGINT; its cause names
// the signal. SIGHUP does nothing: an engine outlives the terminal it was
// started from.
//
// SIGHUP is caught and not ignored, because children inherit what is ignored,
// and a container must get its SIGHUP.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				if s != syscall.SIGHUP {
					cancel(fmt.Errorf("engine got %s", s))
				}
			}
		}
	}()
	return ctx, func() { cancel(context.Canceled) }
}

// cleanProcess makes this process fit for an engine. Helpers come first on
// PATH, so that a shim or runc of another containerd is never taken by name.
func cleanProcess(helpers string, debug bool) error {
	// NOTIFY_SOCKET and LISTEN_* are a service manager's word to this process
	// and not to a container; TMPDIR may go with the session it belongs to.
	for _, name := range []string{"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "TMPDIR"} {
		_ = os.Unsetenv(name)
	}
	if helpers != "" {
		if err := os.Setenv("PATH", helpers+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
			return err
		}
	}
	level := "warn"
	if debug {
		level = "debug"
	}
	return log.SetLevel(level)
}
