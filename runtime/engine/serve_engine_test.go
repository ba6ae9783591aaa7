//go:build linux && engine

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"
)

// modeEnv makes this test binary an engine, or a caller of Up.
const modeEnv = "WR_TEST_MODE"

func TestMain(m *testing.M) {
	switch mode := os.Getenv(modeEnv); mode {
	case "":
		os.Exit(m.Run())
	case "up":
		os.Exit(exitCode(Up(context.Background(), Start{Dirs: envDirs(), Args: []string{"engine", "serve"}, Env: append(os.Environ(), modeEnv+"=serve")})))
	case "wait":
		io.Copy(io.Discard, os.Stdin) // until the test ends
	case "hang":
		os.Exit(exitCode(hang()))
	case "die":
		fmt.Fprintln(os.Stderr, "the last words of an engine")
		os.Exit(1)
	default:
		os.Exit(exitCode(serve(mode)))
	}
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func envDirs() Dirs {
	dirs, err := DefaultDirs(os.Getenv, os.Geteuid())
	if err != nil {
		panic(err)
	}
	return dirs
}

// hang is an engine that never gets beyond its lock.
func hang() error {
	ctx, stop := Signals(context.Background())
	defer stop()
	lock, err := acquire(Hold{PID: os.Getpid(), Since: time.Now(), Dirs: envDirs()})
	if err != nil {
		return err
	}
	defer lock.Close()
	<-ctx.Done()
	return nil
}

// serve is the smallest engine process: it opens the daemons, and listens on
// its API's socket.
func serve(mode string) (err error) {
	ready := ReadyFile()
	ctx, stop := Signals(context.Background())
	defer stop()
	d, err := Open(ctx, Config{Dirs: envDirs(), Group: os.Getenv("WR_TEST_GROUP"), Version: "test", Debug: mode == "debug"})
	if err != nil {
		return errors.Join(err, Ready(ready, err))
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	fmt.Fprintln(os.Stderr, "control groups:", d.Cgroups().Mode)
	api, err := d.Listen(d.Dirs().APISocket())
	if err != nil {
		return errors.Join(err, Ready(ready, err))
	}
	defer api.Close()
	go func() {
		for {
			conn, err := api.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	if err := Ready(ready, nil); err != nil {
		return err
	}
	if mode == "panic" {
		go func() { panic("test panics") }()
	}
	<-ctx.Done()
	fmt.Fprintln(os.Stderr, "closing:", context.Cause(ctx))
	return nil
}
