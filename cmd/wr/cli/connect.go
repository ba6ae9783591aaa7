package cli

import (
	"context"
	"os"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// Engine is all that commands need of one.
type Engine interface {
	spec.Builder
	spec.Runner
	Close() error
}

// realEngine is the engine process and its BuildKit.
type realEngine struct {
	*daemon.Client
	*image.Builder
}

// Lookup asks the engine: its answer needs no connection to BuildKit.
func (e realEngine) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	return e.Client.Lookup(ctx, ref)
}

// Close ends the connections.
func (e realEngine) Close() error { return e.Builder.Close() }

// connect returns the engine, started when none runs.
func (a *app) connect(ctx context.Context) (Engine, error) {
	if a.Connect != nil {
		return a.Connect(ctx)
	}
	dirs, err := a.dirs()
	if err != nil {
		return nil, err
	}
	client, err := a.up(ctx, dirs, "")
	if err != nil {
		return nil, err
	}
	return realEngine{client, image.NewBuilder(image.Config{
		BuildkitSocket: dirs.BuildkitSocket(), ContainerdSocket: dirs.ContainerdSocket(), State: dirs.State,
	})}, nil
}

// dirs are the directories of the engine that this user gets: root's, when
// root lets this user in.
func (a *app) dirs() (engine.Dirs, error) {
	return engine.Locate(a.Getenv, os.Getuid())
}

// up starts the engine unless it runs, and connects to it.
func (a *app) up(ctx context.Context, dirs engine.Dirs, group string) (*daemon.Client, error) {
	if err := engine.Up(ctx, engine.Start{Dirs: dirs, Group: group}); err != nil {
		return nil, err
	}
	return daemon.Dial(ctx, dirs)
}
