package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// serve starts a peer's daemon that writes to the file log, and waits until
// the command ask succeeds. Its end comes with close.
func (b *bench) serve(ctx context.Context, daemon *exec.Cmd, log string, ask []string) error {
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	daemon.Stdout, daemon.Stderr = out, out
	if err := daemon.Start(); err != nil {
		return err
	}
	b.closers = append(b.closers, func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
	})
	return await(ctx, command{env: daemon.Env, argv: ask}, filepath.Base(daemon.Path))
}

// await repeats a command until it succeeds.
func await(ctx context.Context, ask command, name string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask.run(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", name, err)
		case <-ticker.C:
		}
	}
}
