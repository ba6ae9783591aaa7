package run_test

import (
	"context"
	"testing"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/run"
	"github.com/wr-build/wr/runtime/spec"
)

// shelf is a store of images, a builder and a registry in one.
type shelf struct{ stored, remote bool }

func (s shelf) Lookup(_ context.Context, ref string) (spec.Image, bool, error) {
	return spec.Image{Ref: ref, Digest: "sha256:stored"}, s.stored, nil
}

func (s shelf) Build(_ context.Context, b spec.Build, _ func(spec.Step)) (spec.Image, error) {
	return spec.Image{Ref: b.Ref, Digest: "sha256:built"}, nil
}

func (s shelf) Pull(_ context.Context, c spec.Copy, _ func(spec.Step)) (spec.Image, bool, error) {
	return spec.Image{Ref: c.Local, Digest: "sha256:pulled"}, s.remote, nil
}

func TestTheDigestOfAnImageIsToldWhereverItComesFrom(t *testing.T) {
	for want, s := range map[string]shelf{"sha256:stored": {stored: true}, "sha256:pulled": {remote: true}, "sha256:built": {}} {
		t.Run(want, func(t *testing.T) {
			var got event.Event
			images := run.Images{Builder: s, Puller: s, Emit: func(e event.Event) { got = e }}
			err := images.Do(t.Context(), plan.Action{Kind: plan.Build, Project: "p", Remote: "r/p:1", Build: &spec.Build{Ref: "p:1"}})
			if err != nil || got.Type != event.BuildFinished || got.Digest != want || got.Cached != s.stored || (got.Text != "") != s.remote {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
