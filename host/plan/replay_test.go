package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

func TestARecordHasNoValuesOfTheCaller(t *testing.T) {
	ws, all := load(t)
	p := plan.TestRun(ws, all, plan.Options{HostEnv: map[string]string{"TOKEN": "secret", "MODE": "mine"}, Allow: []string{"MODE"}})
	before := slices.Clone(action(t, p, "test:apps/web").Test.Container.Env)
	env := action(t, p.Recorded(), "test:apps/web").Test.Container.Env
	if !slices.Contains(env, "TOKEN") || !slices.Contains(env, "MODE=test") || strings.Contains(strings.Join(env, " "), "secret") {
		t.Errorf("recorded are %q", env)
	}
	if after := action(t, p, "test:apps/web").Test.Container.Env; !slices.Equal(after, before) || !slices.Contains(after, "TOKEN=secret") {
		t.Errorf("the plan itself has changed: %q", after)
	}
}

func TestAReplayHasWhatTheRunHad(t *testing.T) {
	ws, all := load(t)
	o := plan.Options{HostEnv: map[string]string{"TOKEN": "then"}, Args: []string{"--lf", "-x"}, Caller: spec.Owner{UID: 7, GID: 7}}
	was := action(t, plan.TestRun(ws, all, o).Recorded(), "test:apps/web")
	web := all[1]
	web.Config.Image.User, web.Config.Env.Set = "somebody", nil
	again := plan.Replay(ws, []plan.Recording{{Action: was, Image: "wr.local/acme/web:old", Order: []string{"b", "a"}}},
		map[string]plan.Selected{web.Path: web}, plan.Options{HostEnv: map[string]string{"TOKEN": "now"}, Caller: spec.Owner{UID: 8, GID: 8}})
	now := action(t, again, "test:apps/web").Test
	if now.Container.Image != "wr.local/acme/web:old" || now.Container.User != "app" || now.Container.Caller.UID != 8 || now.Container.Network != spec.NetworkHost {
		t.Errorf("the container is %+v", now.Container)
	}
	if env := now.Container.Env; !slices.Contains(env, "TOKEN=now") || !slices.Contains(env, "MODE=test") {
		t.Errorf("the environment is %q", env)
	}
	if !slices.Contains(now.Args, "-x") || slices.Contains(now.Args, "--lf") || !slices.Equal(now.Order, []string{"b", "a"}) {
		t.Errorf("arguments %q, order %q", now.Args, now.Order)
	}
	build := action(t, again, "build:apps/web")
	if build.Build.Ref != "wr.local/acme/web:old" || build.Denied == nil {
		t.Errorf("the image is %+v", build)
	}
}
