package cli

import (
	"context"
	"sync"

	"github.com/wr-build/wr/runtime/spec"
)

// lazy is an engine that is connected to when something is first asked of it: what
// needs none starts none.
type lazy struct {
	connect func(context.Context) (Engine, error)

	mu     sync.Mutex // guards engine
	engine Engine
}

// there is the engine.
func (l *lazy) there(ctx context.Context) (Engine, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engine != nil {
		return l.engine, nil
	}
	engine, err := l.connect(ctx)
	if err == nil {
		l.engine = engine
	}
	return engine, err
}

func (l *lazy) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return spec.Image{}, false, err
	}
	return engine.Lookup(ctx, ref)
}

func (l *lazy) Build(ctx context.Context, b spec.Build, progress func(spec.Step)) (spec.Image, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return spec.Image{}, err
	}
	return engine.Build(ctx, b, progress)
}

func (l *lazy) Run(ctx context.Context, c spec.Container, p spec.Process, io spec.Stdio) (spec.Exit, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return spec.Exit{}, err
	}
	return engine.Run(ctx, c, p, io)
}

func (l *lazy) Pull(ctx context.Context, c spec.Copy, progress func(spec.Step)) (spec.Image, bool, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return spec.Image{}, false, err
	}
	return engine.Pull(ctx, c, progress)
}

func (l *lazy) Push(ctx context.Context, c spec.Copy, progress func(spec.Step)) (spec.Pushed, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return spec.Pushed{}, err
	}
	return engine.Push(ctx, c, progress)
}

func (l *lazy) Resolve(ctx context.Context, ref string) (string, bool, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return "", false, err
	}
	return engine.Resolve(ctx, ref)
}

func (l *lazy) Images(ctx context.Context) ([]spec.Image, error) {
	engine, err := l.there(ctx)
	if err != nil {
		return nil, err
	}
	return engine.Images(ctx)
}

func (l *lazy) Keep(ctx context.Context, ref, as string, labels map[string]string) error {
	engine, err := l.there(ctx)
	if err != nil {
		return err
	}
	return engine.Keep(ctx, ref, as, labels)
}

func (l *lazy) Forget(ctx context.Context, ref string) error {
	engine, err := l.there(ctx)
	if err != nil {
		return err
	}
	return engine.Forget(ctx, ref)
}

// Close ends the connection, if there is one.
func (l *lazy) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.engine == nil {
		return nil
	}
	return l.engine.Close()
}
