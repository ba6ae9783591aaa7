package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/registry"
	"github.com/wr-build/wr/runtime/spec"
)

// Engine is all that commands need of one.
type Engine interface {
	spec.Builder
	spec.Runner
	spec.Puller
	spec.Pusher
	spec.Resolver
	Images(ctx context.Context) ([]spec.Image, error)
	Keep(ctx context.Context, ref, as string, labels map[string]string) error // gives an image another name
	Forget(ctx context.Context, ref string) error                             // removes an image
	Close() error
}

// realEngine is the engine process and its BuildKit.
type realEngine struct {
	*daemon.Client
	*image.Builder
	*registry.Registry
}

// Lookup asks the engine: its answer needs no connection to BuildKit.
func (e realEngine) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	return e.Client.Lookup(ctx, ref)
}

// Close ends the connections.
func (e realEngine) Close() error { return errors.Join(e.Builder.Close(), e.Registry.Close()) }

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
	builder := image.NewBuilder(image.Config{
		BuildkitSocket: dirs.BuildkitSocket(), ContainerdSocket: dirs.ContainerdSocket(), State: dirs.State, DockerConfig: a.dockerConfig(),
	})
	images := registry.New(registry.Config{
		ContainerdSocket: dirs.ContainerdSocket(), Namespace: image.Namespace, DockerConfig: a.dockerConfig(),
	})
	return realEngine{client, builder, images}, nil
}

// dockerConfig is the directory of the caller's docker config.json, "" when
// there is no place for one.
func (a *app) dockerConfig() string {
	if dir := a.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	if home := a.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".docker")
	}
	return ""
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
