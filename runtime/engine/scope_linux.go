package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/dbus"
	godbus "github.com/godbus/dbus/v5"
)

// scopeTime bounds the wait for systemd.
const scopeTime = 5 * time.Second

// systemdRuns reports whether systemd is the one who hands control groups out.
func systemdRuns() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil
}

// ownScope has systemd move this process, which is in the group own, into a
// scope that is delegated to it. Nobody else is in there, so limits can be set
// below it. Systemd forgets the scope when its last process has ended.
func ownScope(ctx context.Context, own string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, scopeTime, errors.New("systemd does not answer"))
	defer cancel()
	conn, err := dbus.NewWithContext(ctx)
	if err != nil {
		return fmt.Errorf("ask systemd for a scope: %w", err)
	}
	defer conn.Close()
	pid, done := os.Getpid(), make(chan string, 1)
	_, err = conn.StartTransientUnitContext(ctx, fmt.Sprintf("wr-engine-%d.scope", pid), "fail", []dbus.Property{
		dbus.PropDescription("wr engine and its containers"), dbus.PropSlice(sliceOf(own)), dbus.PropPids(uint32(pid)),
		{Name: "Delegate", Value: godbus.MakeVariant(true)},
	}, done)
	if err != nil {
		return fmt.Errorf("ask systemd for a scope: %w", err)
	}
	select {
	case result := <-done:
		if result != "done" {
			return fmt.Errorf("ask systemd for a scope: the job is %s", result)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("ask systemd for a scope: %w", context.Cause(ctx))
	}
}

// sliceOf is the slice that a group is in, so that limits which hold there hold
// for a scope as well. Those of a user's own systemd are not the system's.
func sliceOf(group string) string {
	slice := "system.slice"
	for part := range strings.SplitSeq(strings.TrimPrefix(group, "/"), "/") {
		if path.Ext(part) != ".slice" {
			break
		}
		slice = part
	}
	return slice
}
