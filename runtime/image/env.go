package image

import (
	"maps"
	"runtime"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// vars is an environment that is fully known.
type vars map[string]string

// Get implements shell.EnvGetter.
func (v vars) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// Keys implements shell.EnvGetter.
func (v vars) Keys() []string { return slices.Sorted(maps.Keys(v)) }

// env is the environment inside a stage, as far as the Dockerfile tells.
type env struct {
	stages  *stages
	vars    vars
	unknown map[string]bool // set, but to a value that only the base image knows
	open    bool            // the base image may set more
	missed  bool            // a lookup since the last reset needed what is not known
}

// newEnv is the environment at the start of a stage; open says that it comes
// from an image whose ENV is not known.
func newEnv(s *stages, open bool) *env {
	return &env{stages: s, vars: vars{}, unknown: map[string]bool{}, open: open}
}

// clone is the environment that a stage built from this one starts with.
func (e *env) clone() *env {
	return &env{stages: e.stages, vars: maps.Clone(e.vars), unknown: maps.Clone(e.unknown), open: e.open}
}

// Get implements shell.EnvGetter and remembers what it could not tell.
func (e *env) Get(name string) (string, bool) {
	if v, ok := e.vars[name]; ok {
		return v, true
	}
	if e.open || e.unknown[name] || name == "PATH" {
		e.missed = true
	}
	return "", false
}

// Keys implements shell.EnvGetter.
func (e *env) Keys() []string { return e.vars.Keys() }

// expand replaces the variables in word; known is false when the value
// depends on the base image.
func (e *env) expand(word string) (value string, known bool, err error) {
	e.missed = false
	value, _, err = e.stages.lex.ProcessWord(word, e)
	return value, !e.missed, err
}

// set gives name the value of word.
func (e *env) set(name, word string) error {
	value, known, err := e.expand(word)
	if known && err != nil {
		return err
	}
	e.put(name, value, known)
	return nil
}

// put stores a value, or that it is not known.
func (e *env) put(name, value string, known bool) {
	delete(e.vars, name)
	delete(e.unknown, name)
	if known {
		e.vars[name] = value
	} else {
		e.unknown[name] = true
	}
}

// setAll carries out ENV. All its values see the environment before it.
func (e *env) setAll(c *instructions.EnvCommand) error {
	before := e.clone()
	for _, kv := range c.Env {
		name, known, err := before.expand(kv.Key)
		if known && err != nil {
			return err
		}
		if !known {
			e.open = true
			continue
		}
		value, known, err := before.expand(kv.Value)
		if known && err != nil {
			return err
		}
		e.put(name, value, known)
	}
	return nil
}

// declare carries out ARG: the user's value, else the default, else the value
// from before the first FROM.
func (e *env) declare(c *instructions.ArgCommand) error {
	for _, arg := range c.Args {
		if v, ok := e.stages.args[arg.Key]; ok {
			e.put(arg.Key, v, true)
		} else if arg.Value != nil {
			if err := e.set(arg.Key, *arg.Value); err != nil {
				return err
			}
		} else if v, ok := e.stages.globals[arg.Key]; ok {
			e.put(arg.Key, v, true)
		}
	}
	return nil
}

// platformArgs are the arguments that exist without being declared. Images
// are for Linux on this machine's architecture, wherever the client runs.
func platformArgs(target string) map[string]string {
	p := platforms.Normalize(ocispec.Platform{OS: "linux", Architecture: runtime.GOARCH})
	return map[string]string{
		"BUILDPLATFORM": platforms.Format(p), "BUILDOS": p.OS, "BUILDOSVERSION": "", "BUILDARCH": p.Architecture, "BUILDVARIANT": p.Variant,
		"TARGETPLATFORM": platforms.Format(p), "TARGETOS": p.OS, "TARGETOSVERSION": "", "TARGETARCH": p.Architecture, "TARGETVARIANT": p.Variant,
		"TARGETSTAGE": target,
	}
}
