package cli

import (
	"context"
	"strings"

	"github.com/docker/go-units"
	"github.com/posener/complete"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/builtin"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// carried are the plugins that wr carries.
func (a *app) carried() *builtin.Set {
	if a.Builtin != nil {
		return a.Builtin
	}
	return builtin.Carried()
}

// sourceOf is the source that somebody means: a plugin that wr carries is called by
// its name alone, and a file of that name by ./NAME.
func (a *app) sourceOf(typed string) string {
	if _, found := a.carried().Find(typed); found {
		return config.BuiltinSource(typed)
	}
	return typed
}

// getTyped gets a plugin from where somebody means.
func (a *app) getTyped(ctx context.Context, from fetch.Fetcher, typed string) (fetch.Bundle, error) {
	b, err := from.Get(ctx, a.sourceOf(typed))
	if fault.HasCode(err, "plugin.not_found") && !strings.ContainsAny(typed, "./") {
		f := *fault.Of(err)
		f.Hint = fault.Closest(typed, a.carried().Names())
		f.Message += ", and wr carries no plugin of that name"
		f.Next = "name a file, or one of wr plugin ls --available"
		err = &f
	}
	return b, err
}

// available is a plugin in `wr plugin ls --available --json`.
type available struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Digest      string   `json:"digest"`
	Size        int64    `json:"size"` // bytes
	Description string   `json:"description"`
	Provides    []string `json:"provides"`
	Added       bool     `json:"added"` // to this workspace, whatever its source
}

// available lists what wr carries.
func (a *app) available(ctx context.Context) error {
	all := []available{}
	has := map[string]bool{}
	if here, err := a.plugins(ctx); err == nil { // outside of a workspace none is added
		for name := range here.pins {
			has[name] = true
		}
		_ = here.Close()
	}
	for _, p := range a.carried().All() {
		m, err := manifest.Parse(p.Manifest, config.BuiltinSource(p.Name), manifest.Words{})
		if err != nil {
			return err
		}
		all = append(all, available{p.Name, p.Version, p.Digest, p.Size, m.Description, orEmpty(provided(m.Provides)), has[p.Name]})
	}
	if a.JSON {
		return a.printJSON(all)
	}
	if len(all) == 0 {
		return &fault.Error{Code: "plugin.none", Class: fault.Usage, Message: "this wr carries no plugins", Next: "build it with make build, which puts them inside"}
	}
	rows := make([][]string, len(all))
	for i, p := range all {
		state := ""
		if p.Added {
			state = "added"
		}
		rows[i] = []string{p.Name, p.Version, units.BytesSize(float64(p.Size)), p.Description, state}
	}
	return ui.Table(a.Out, []string{"PLUGIN", "VERSION", "SIZE", "WHAT IT IS", ""}, rows)
}

// predictSources completes what a plugin can come from.
func (a *app) predictSources() complete.Predictor {
	return complete.PredictOr(complete.PredictSet(a.carried().Names()...), complete.PredictFiles("*.wasm"))
}
