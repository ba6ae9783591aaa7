package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pluginInspectCmd is `wr plugin inspect`.
type pluginInspectCmd struct {
	Plugin string `arg:"" predictor:"known" help:"The name of a plugin that was added or that wr carries, a file, or an address."`
}

// Read shows the plugin. Nothing of it is run, and nothing is added.
func (c *pluginInspectCmd) Read(ctx context.Context, a *app) error {
	here, err := a.plugins(ctx)
	if fault.HasCode(err, "workspace.not_found") { // its author looks at it where it is made
		here, err = a.pluginsOf(&workspace.Workspace{Root: a.dir, Config: &config.File{}}, nil)
	}
	if err != nil {
		return err
	}
	defer here.Close()
	p, known := here.pins[c.Plugin]
	if !known {
		b, err := a.getTyped(ctx, a.fetcher(a.dir), c.Plugin)
		if fault.HasCode(err, "plugin.not_found") && !strings.ContainsAny(c.Plugin, "./") && fault.Of(err).Hint == "" {
			_, err = here.pins.Find(c.Plugin)
		}
		if err != nil {
			return err
		}
		return a.printOffer(offerOf(b, nil, here.loader.Ceiling))
	}
	loaded, err := here.loader.Load(ctx, p)
	if err != nil {
		return err
	}
	b, err := here.loader.Bundle(ctx, loaded)
	if err != nil {
		return err
	}
	return a.printOffer(offerOf(b, loaded.Grant.Capabilities(), here.loader.Ceiling))
}

// printOffer shows a plugin on stdout.
func (a *app) printOffer(o offer) error {
	if a.JSON {
		return a.printJSON(o)
	}
	if err := o.print(a.Out); err != nil || len(o.Config) == 0 {
		return err
	}
	var form bytes.Buffer
	if err := json.Indent(&form, o.Config, "  ", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.Out, "  config, as [plugins.%s.config] of wr.toml, by this JSON schema:\n  %s\n", o.Name, form.Bytes())
	return err
}
