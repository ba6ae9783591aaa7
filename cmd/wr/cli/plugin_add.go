package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// grants are the flags that say what a plugin is granted.
type grants struct {
	Grant []string `sep:"none" placeholder:"CAPABILITY" help:"Grant this and nothing else, such as fs.read:**/*.sh; may be given several times."`
	Yes   bool     `short:"y" help:"Grant all that it asks for, as far as policies allow it."`
}

// pluginAddCmd is `wr plugin add`.
type pluginAddCmd struct {
	Source string `arg:"" predictor:"source" help:"A file, an address such as https://example.com/lint.wasm, or the name of a plugin that wr carries, such as shfmt."`
	grants
	Digest string            `placeholder:"sha256:HEX" help:"Refuse a module with another digest."`
	Limit  map[string]string `placeholder:"KEY=VALUE" help:"Set a limit, such as memory=512MiB or call=2m."`
}

// Help says what is asked and what is written.
func (pluginAddCmd) Help() string {
	return "A plugin has no rights but those that it is granted. On a terminal, what it asks for is shown with its reasons, and you are asked; elsewhere --yes or --grant says it. What was granted is written to wr.lock, with the digest of the plugin: commit it. A file outside of the workspace is copied into .wr-plugins. Its manifest lies in the module, or beside it as NAME.wasm.toml."
}

// Prepare gets the plugin and judges it.
func (c *pluginAddCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	here, err := a.plugins(ctx)
	if err != nil {
		return deed{}, err
	}
	p, b, err := c.read(ctx, a, here)
	if err != nil {
		_ = here.Close()
		return deed{}, err
	}
	return deed{
		show: func() error { return a.printOffer(offerOf(b, nil, here.loader.Ceiling)) },
		do:   func() error { return c.add(ctx, a, here, p, b) },
		end:  here.Close,
	}, nil
}

// read gets the plugin, and makes its pin as far as it does not depend on what is
// granted.
func (c *pluginAddCmd) read(ctx context.Context, a *app, here *installed) (pin.Pin, fetch.Bundle, error) {
	var p pin.Pin
	for key, value := range c.Limit {
		if err := p.Limits.Set(key, value); err != nil {
			return p, fetch.Bundle{}, badLimit(key, err)
		}
	}
	if err := checkLimits(p.Limits, here.loader.Ceiling); err != nil {
		return p, fetch.Bundle{}, err
	}
	b, err := a.get(ctx, here, c.Source, p.Limits)
	if err != nil {
		return p, b, err
	}
	p.Source, p.Size = b.Source, int64(len(b.Module))
	p.Digest, p.Manifest = b.Digests()
	if c.Digest != "" && c.Digest != p.Digest {
		return p, b, &fault.Error{Code: "plugin.digest", File: c.Source, Message: "the module is " + p.Digest + ", and not " + c.Digest, Next: "find out why before you add it"}
	}
	if there, ok := here.pins[b.Manifest.Name]; ok {
		return p, b, &fault.Error{
			Code: "plugin.exists", Class: fault.Usage, File: lock.Name, Line: there.Line(), Message: fmt.Sprintf("there is a plugin %s already, from %s", there.Name, there.Source),
			Next: "wr plugin update " + there.Name + " " + capability.Quote(c.Source),
		}
	}
	return p, b, here.loader.Ceiling.CheckSource(p.Source)
}

// get gets a plugin from where somebody says. Its source is then as wr.lock has
// it: of a file outside of the workspace, where it will be vendored.
func (a *app) get(ctx context.Context, here *installed, source string, l config.PluginLimits) (fetch.Bundle, error) {
	from := here.loader.Fetcher
	from.Dir, from.Limits = a.dir, plugin.ModuleLimits(l)
	b, err := a.getTyped(ctx, from, source)
	if err != nil || config.SourceKind(b.Source) != config.SourceFile {
		return b, err
	}
	path := source
	if !filepath.IsAbs(path) {
		path = filepath.Join(a.dir, path)
	}
	b.Source = plugin.Vendored(b.Manifest.Name)
	if below, err := filepath.Rel(here.ws.Root, followed(path)); err == nil && filepath.IsLocal(below) {
		b.Source = filepath.ToSlash(below)
	}
	return b, nil
}

// add grants, compiles, pins and keeps the plugin.
func (c *pluginAddCmd) add(ctx context.Context, a *app, here *installed, p pin.Pin, b fetch.Bundle) error {
	if err := a.mayLock(); err != nil {
		return err
	}
	command := "wr plugin add " + capability.Quote(c.Source)
	granted, err := c.decide(a, offerOf(b, nil, here.loader.Ceiling), b.Manifest.Requests(), here.loader.Ceiling, command)
	if err != nil {
		return err
	}
	if p, err = pin.Of(b.Manifest, p, granted); err != nil {
		return err
	}
	return a.keep(ctx, here, p, b, "added")
}

// keep makes a plugin ready, vendors it if it has to be or is already, writes its
// pin to wr.lock and says so.
func (a *app) keep(ctx context.Context, here *installed, p pin.Pin, b fetch.Bundle, done string) error {
	if err := here.loader.Store.Put(b.Module, b.Text); err != nil {
		return err
	}
	if err := a.compile(ctx, here, p); err != nil {
		return err
	}
	vendored, err := a.isVendored(here.ws, p.Name)
	if err == nil && (vendored || p.Source == plugin.Vendored(p.Name)) {
		err = a.vendor(here.ws, p.Name, b)
	}
	if err != nil {
		return err
	}
	err = a.changePlugins(here.ws, func(pins pin.Pins) error {
		pins[p.Name] = p
		return nil
	})
	if err != nil {
		return err
	}
	return a.tellPinned(done, p, askedFor(b.Manifest.Capabilities, p.Granted(), here.loader.Ceiling))
}

// pinnedPlugin is a plugin in the JSON of commands that change wr.lock.
type pinnedPlugin struct {
	Name     string         `json:"name"`
	Version  string         `json:"version"`
	Source   string         `json:"source"`
	Digest   string         `json:"digest"`
	Grants   []string       `json:"grants"`
	Limits   map[string]any `json:"limits,omitempty"`
	Requests []asked        `json:"requests,omitempty"`
}

func pinnedOf(p pin.Pin, requests []asked) pinnedPlugin {
	return pinnedPlugin{p.Name, p.Version, p.Source, p.Digest, orEmpty(p.Granted().Strings()), p.Limits.Written(), requests}
}

// tellPinned says what has become of a plugin.
func (a *app) tellPinned(done string, p pin.Pin, requests []asked) error {
	if a.JSON {
		return a.printJSON(pinnedOf(p, requests))
	}
	may := strings.Join(p.Granted().Strings(), ", ")
	if may == "" {
		may = "nothing"
	}
	_, err := fmt.Fprintf(a.Out, "%s %s %s from %s (%s); it is granted %s\n", done, p.Name, p.Version, p.Source, short(p.Digest), may)
	for _, one := range requests {
		if !one.Granted && one.Refused == "" {
			fmt.Fprintf(a.Out, "   not granted: %s (%s)\n", one.Capability, one.Reason)
		} else if !one.Granted {
			fmt.Fprintf(a.Out, "   refused by %s: %s (%s)\n", one.Refused, one.Capability, one.Reason)
		}
	}
	return err
}

// decide finds what of some capabilities is granted: by flags, or by whoever sits
// at the terminal and has seen them. Command is what was typed.
func (g grants) decide(a *app, shown offer, wanted capability.Set, ceiling grant.Ceiling, command string) (capability.Set, error) {
	if len(g.Grant) > 0 && g.Yes {
		return nil, usage(fmt.Errorf("--yes grants all, and --grant some: which of the two?"))
	}
	if len(g.Grant) > 0 {
		return parseGrants(g.Grant, ceiling)
	}
	allowed := slices.DeleteFunc(slices.Clone(wanted), func(c abi.Capability) bool {
		_, refused := ceiling.Refuses(c)
		return refused
	})
	if g.Yes || len(allowed) == 0 {
		return allowed, nil
	}
	if interactive(a.Err) {
		if err := shown.print(a.Err); err != nil {
			return nil, err
		}
	}
	if a.confirm(fmt.Sprintf("Grant %s all of that, as far as it is not refused?", shown.Name)) {
		return allowed, nil
	}
	return nil, ungranted(shown, allowed, command)
}

// ungranted is the fault of a plugin that asks for what nobody has granted.
func ungranted(shown offer, wanted capability.Set, command string) *fault.Error {
	f := &fault.Error{
		Code: "plugin.ungranted", Class: fault.Usage,
		Message: fmt.Sprintf("%s asks for %s, and nobody has granted it", shown.Name, strings.Join(wanted.Strings(), ", ")),
		Next:    command + " --yes, or for some of it " + command,
	}
	for _, c := range wanted {
		f.Next += " --grant " + capability.Quote(c.String())
	}
	var lines []string
	for _, one := range shown.Requests {
		lines = append(lines, one.Capability+": "+one.Words+": "+one.Reason)
	}
	f.Details = strings.Join(lines, "\n")
	return f
}

// parseGrants reads capabilities as people type them. One that a policy refuses
// would have no effect.
func parseGrants(texts []string, ceiling grant.Ceiling) (capability.Set, error) {
	var all []abi.Capability
	for _, text := range texts {
		c := abi.ParseCapability(text)
		if err := capability.Check(c); err != nil {
			f := &fault.Error{Code: "grant.bad_capability", Class: fault.Usage, Message: err.Error(), Next: "write it as the manifest does, such as fs.read:**/*.sh"}
			if !capability.Known(c.Name) {
				f.Hint = fault.Closest(c.Name, capability.Names())
			}
			return nil, f
		}
		if policy, refused := ceiling.Refuses(c); refused {
			return nil, &fault.Error{
				Code: "policy.plugins", File: policy.File, Line: policy.Line("capabilities"), Message: "no plugin may be granted " + text,
				Next: "ask whoever owns that policy",
			}
		}
		all = append(all, c)
	}
	return capability.SetOf(all...), nil
}

// badLimit says which limit cannot be read.
func badLimit(key string, err error) error {
	if fault.HasCode(err, "limit.unknown") {
		return err
	}
	return &fault.Error{Code: "limit.bad_value", Class: fault.Usage, Message: "--limit " + key + ": " + err.Error(), Err: err}
}

// checkLimits refuses limits that make no sense, or that a policy refuses.
func checkLimits(l config.PluginLimits, ceiling grant.Ceiling) error {
	for _, wrong := range l.Check() {
		f := wrong.Fault()
		f.Message = "--limit " + wrong.Key + ": " + wrong.Problem
		return f
	}
	return ceiling.CheckLimits(l)
}
