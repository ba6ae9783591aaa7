package image

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Recipe reads what the target of a Dockerfile takes from outside. It uses
// BuildKit's own parser and follows the rules of its Dockerfile frontend, so
// what it says is what a build does, with two exceptions: values that only a
// base image knows (its ENV) make the recipe the whole context, and ONBUILD
// triggers of a base image are not seen.
func Recipe(d spec.Dockerfile) (spec.Recipe, error) {
	r, err := read(d)
	if err != nil {
		return spec.Recipe{}, dockerfileFault(d.Path, err)
	}
	return r, nil
}

// read is Recipe with BuildKit's errors.
func read(d spec.Dockerfile) (spec.Recipe, error) {
	note, err := syntaxNote(d.Data)
	if err != nil {
		return spec.Recipe{}, err
	}
	ast, err := parser.Parse(bytes.NewReader(d.Data))
	if err != nil {
		return spec.Recipe{}, err
	}
	parsed, globals, err := instructions.Parse(ast.AST, nil)
	if err != nil {
		return spec.Recipe{}, err
	}
	if len(parsed) == 0 {
		return spec.Recipe{}, errors.New("no FROM: the Dockerfile contains no stage to build")
	}
	stages, err := newStages(parsed, globals, ast.EscapeToken, d)
	if err != nil {
		return spec.Recipe{}, err
	}
	target, err := stages.target(d.Target)
	if err != nil {
		return spec.Recipe{}, err
	}
	w := &walker{stages: stages, bases: map[string]bool{}, sources: map[string]bool{}, done: map[int]*env{}}
	if _, err := w.stage(target); err != nil {
		return spec.Recipe{}, err
	}
	return w.recipe(note), nil
}

// builtinFrontends are the published names of the frontend that is linked
// into the engine.
func builtinFrontends() []string {
	return []string{"docker.io/docker/dockerfile", "docker.io/docker/dockerfile-upstream"}
}

// syntaxNote says what becomes of a "# syntax=" line: the published Dockerfile
// frontends are replaced by the engine's own, anything else is not a
// Dockerfile that wr can read.
func syntaxNote(data []byte) (string, error) {
	ref, _, location, ok := parser.DetectSyntax(data)
	if !ok {
		return "", nil
	}
	named, err := reference.ParseNormalizedNamed(ref)
	if err == nil && slices.Contains(builtinFrontends(), named.Name()) {
		return fmt.Sprintf("# syntax=%s is ignored: wr builds with its own Dockerfile frontend", ref), nil
	}
	return "", parser.WithLocation(&fault.Error{
		Code:    "image.syntax_unsupported",
		Message: fmt.Sprintf("the frontend %q of the syntax line is not supported: wr builds with its own Dockerfile frontend and downloads none", ref),
		Next:    "remove the syntax line if the file is a plain Dockerfile",
	}, location)
}

// walker collects what the needed stages take from outside.
type walker struct {
	stages  *stages
	bases   map[string]bool
	sources map[string]bool
	whole   bool
	done    map[int]*env // environment at the end of a stage; nil while it is read
}

// recipe is what was found.
func (w *walker) recipe(note string) spec.Recipe {
	r := spec.Recipe{Bases: slices.Sorted(maps.Keys(w.bases)), Whole: w.whole}
	if !w.whole {
		r.Sources = slices.Sorted(maps.Keys(w.sources))
	}
	if note != "" {
		r.Notes = []string{note}
	}
	return r
}

// stage reads stage i and all it needs, and returns the environment it ends with.
func (w *walker) stage(i int) (*env, error) {
	if e, ok := w.done[i]; ok {
		return e, nil
	}
	w.done[i] = nil
	s := w.stages.list[i]
	scope, err := w.base(s)
	if err != nil {
		return nil, parser.WithLocation(err, s.Location)
	}
	commands, err := w.stages.commands(i)
	if err != nil {
		return nil, parser.SetLocation(err, s.Location)
	}
	for _, c := range commands {
		if err := w.command(scope, c); err != nil {
			return nil, parser.WithLocation(err, c.Location())
		}
	}
	w.done[i] = scope
	return scope, nil
}

// base reads what a stage is built from and returns its first environment.
func (w *walker) base(s stage) (*env, error) {
	if s.parent >= 0 {
		parent, err := w.stage(s.parent)
		if err != nil || parent == nil {
			return newEnv(w.stages, true), err
		}
		return parent.clone(), nil
	}
	if s.BaseName == scratch {
		return newEnv(w.stages, false), nil
	}
	return newEnv(w.stages, true), w.image(s.BaseName)
}

// image notes an image from outside.
func (w *walker) image(name string) error {
	if name == scratch {
		return nil
	}
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return fmt.Errorf("failed to parse stage name %q: %w", name, err)
	}
	w.bases[reference.TagNameOnly(named).String()] = true
	return nil
}

// from follows the name in COPY --from and RUN --mount=from.
func (w *walker) from(name string, byIndex bool) error {
	i, ok, err := w.stages.find(name, byIndex)
	if err != nil {
		return err
	}
	if !ok {
		return w.image(name)
	}
	_, err = w.stage(i)
	return err
}

// path notes a path or pattern of the build context.
func (w *walker) path(source string) {
	p := strings.TrimPrefix(cleanSource(source), "/")
	// A pattern that starts with "!" would mean its opposite to the matcher.
	if p == "" || strings.HasPrefix(p, "!") {
		w.whole = true
		return
	}
	w.sources[p] = true
}
