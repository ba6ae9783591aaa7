package image_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
)

// TestRecipeAgreesWithBuildKit translates each Dockerfile with BuildKit's own
// frontend and compares what the result would load. Where the base's
// environment matters, BuildKit is told that the base sets none, so there the
// recipe may only be wider, or BuildKit may refuse what the recipe cannot.
func TestRecipeAgreesWithBuildKit(t *testing.T) {
	for _, c := range recipeCases() {
		t.Run(c.name, func(t *testing.T) {
			got, err := image.Recipe(spec.Dockerfile{Data: []byte(c.file), Target: c.target, Args: c.args})
			if err != nil {
				t.Fatal(err)
			}
			bases, follow, loaded, err := translate(t, c)
			if err != nil {
				if !got.Whole {
					t.Errorf("BuildKit refuses what Recipe reads: %v", err)
				}
				return
			}
			if !slices.Equal(got.Bases, bases) {
				t.Errorf("bases: got %q, BuildKit loads %q", got.Bases, bases)
			}
			if !loaded && (got.Whole && !strings.Contains(c.file, "NOPE") || len(got.Sources) > 0) {
				t.Errorf("got whole %v, sources %q; BuildKit loads no context", got.Whole, got.Sources)
			}
			if got.Whole {
				return
			}
			if loaded && len(follow) == 0 {
				t.Fatalf("got sources %q, BuildKit loads the whole context", got.Sources)
			}
			if !slices.Equal(got.Sources, follow) {
				t.Errorf("sources: got %q, BuildKit follows %q", got.Sources, follow)
			}
		})
	}
}

// emptyImages resolves every reference to an image without configuration.
type emptyImages struct{}

func (emptyImages) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"diff_ids": []string{digest.FromString(ref).String()}}})
	return ref, "", config, err
}

// translate returns what BuildKit's translation of a Dockerfile loads: images,
// the paths of the context that it follows, and whether there is a context.
// Its ADD of a git repository follows the URL as a path too, which is dropped.
func translate(t *testing.T, c recipeCase) (bases, follow []string, loaded bool, err error) {
	t.Helper()
	result, err := dockerfile2llb.Dockerfile2LLB(t.Context(), []byte(c.file), dockerfile2llb.ConvertOpt{
		MetaResolver: emptyImages{},
		Config:       dockerui.Config{BuildArgs: maps.Clone(c.args), Target: c.target},
	})
	if err != nil {
		return nil, nil, false, err
	}
	definition, err := result.State.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range definition.Def {
		var op pb.Op
		if err := op.UnmarshalVT(raw); err != nil {
			t.Fatal(err)
		}
		source := op.GetSource()
		switch {
		case source == nil:
		case strings.HasPrefix(source.Identifier, "docker-image://"):
			bases = append(bases, normalise(t, strings.TrimPrefix(source.Identifier, "docker-image://")))
		case source.Identifier == "local://context":
			loaded = true
			if paths := source.Attrs[pb.AttrFollowPaths]; paths != "" {
				if err := json.Unmarshal([]byte(paths), &follow); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	slices.Sort(bases)
	return slices.Compact(bases), follow, loaded, nil
}

// normalise gives a reference the form that Recipe uses.
func normalise(t *testing.T, ref string) string {
	t.Helper()
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		t.Fatal(err)
	}
	return reference.TagNameOnly(named).String()
}
