package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// pluginUpdateCmd is `wr plugin update`.
type pluginUpdateCmd struct {
	Name   string `arg:"" optional:"" name:"plugin" predictor:"plugin" help:"The plugin; default: all."`
	Source string `arg:"" optional:"" predictor:"source" help:"Where it comes from now; default: where wr.lock says."`
	grants
}

// Help says what needs a yes.
func (pluginUpdateCmd) Help() string {
	return "What the plugin was granted it keeps, as far as it still asks for it. If it asks for nothing besides, nobody is asked anything. If it does, that is shown with its reasons, and needs a yes: at the terminal, by --yes, or by --grant for some of it."
}

// change is what an update would do to a plugin.
type change struct {
	old     pin.Pin
	bundle  fetch.Bundle
	added   capability.Set // that it asks for besides
	removed capability.Set // that it was granted, and does not ask for any more
	kept    capability.Set // of what was granted
}

// Prepare gets what lies at the sources now.
func (c *pluginUpdateCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	here, err := a.plugins(ctx)
	if err != nil {
		return deed{}, err
	}
	changes, err := c.changes(ctx, a, here)
	if err != nil {
		return deed{}, errors.Join(err, here.Close())
	}
	return deed{
		show: func() error {
			return a.each(changes, func(ch change) error { return a.printChange(ch, here.loader.Ceiling) })
		},
		do:  func() error { return a.each(changes, func(ch change) error { return c.update(ctx, a, here, ch) }) },
		end: here.Close,
	}, nil
}

// each does something with every change; one that fails does not stop the others.
func (a *app) each(changes []change, do func(change) error) error {
	var failed error
	for _, ch := range changes {
		failed = errors.Join(failed, do(ch))
	}
	return failed
}

// changes finds what has changed of the plugins that are meant.
func (c *pluginUpdateCmd) changes(ctx context.Context, a *app, here *installed) ([]change, error) {
	var given []string
	if c.Name != "" {
		given = []string{c.Name}
	} else if len(c.Grant) > 0 {
		return nil, usage(errors.New("--grant needs the name of a plugin"))
	}
	names, err := here.names(given)
	if err == nil && len(names) == 0 {
		err = noPlugins()
	}
	if err != nil {
		return nil, err
	}
	var all []change
	for _, name := range names {
		ch, err := c.change(ctx, a, here, here.pins[name])
		if err != nil {
			return nil, err
		}
		all = append(all, ch)
	}
	return all, nil
}

// change gets what lies at the source of one plugin now.
func (c *pluginUpdateCmd) change(ctx context.Context, a *app, here *installed, old pin.Pin) (change, error) {
	ch := change{old: old}
	var err error
	if c.Source != "" {
		ch.bundle, err = a.get(ctx, here, c.Source, old.Limits)
	} else {
		from := here.loader.Fetcher
		from.Limits = plugin.ModuleLimits(old.Limits)
		ch.bundle, err = from.Get(ctx, old.Source)
	}
	if err != nil {
		return ch, err
	}
	if err := here.loader.Ceiling.CheckSource(ch.bundle.Source); err != nil {
		return ch, err
	}
	m := ch.bundle.Manifest
	if m.Name != old.Name {
		return ch, &fault.Error{
			Code: "plugin.renamed", File: ch.bundle.Source, Message: fmt.Sprintf("this is %s, and not %s", m.Name, old.Name),
			Next: "wr plugin rm " + old.Name + ", and add the other one",
		}
	}
	return ch, ch.compare(ctx, here)
}

// compare finds what the plugin asks for besides. Without its old manifest all
// that it was not granted counts as that. What it was granted without asking is no
// reason to go on.
func (ch *change) compare(ctx context.Context, here *installed) error {
	wanted, granted := ch.bundle.Manifest.Requests(), ch.old.Granted()
	ch.removed = granted.Without(wanted)
	ch.kept = granted.Without(ch.removed)
	ch.added = wanted.Without(granted)
	if wanted.Digest() == ch.old.Requests {
		ch.added = nil
		return nil
	}
	before, err := here.loader.Load(ctx, ch.old)
	if err == nil {
		ch.added = wanted.Without(before.Manifest.Requests())
	}
	if fault.HasCode(err, "lock.widened") {
		return err
	}
	return nil
}

// same reports whether there is nothing to do.
func (ch change) same() bool {
	digest, text := ch.bundle.Digests()
	return digest == ch.old.Digest && text == ch.old.Manifest && ch.bundle.Source == ch.old.Source
}

// shown is the plugin as it is offered: what it asks for besides.
func (ch change) shown(ceiling grant.Ceiling) offer {
	besides := slices.DeleteFunc(slices.Clone(ch.bundle.Manifest.Capabilities), func(r abi.Request) bool {
		return !slices.Contains(ch.added, r.Capability)
	})
	o := offerOf(ch.bundle, nil, ceiling)
	o.Requests = askedFor(besides, nil, ceiling)
	return o
}

// printChange shows an update.
func (a *app) printChange(ch change, ceiling grant.Ceiling) error {
	if a.JSON {
		digest, _ := ch.bundle.Digests()
		return a.printJSON(map[string]any{
			"name": ch.old.Name, "from": ch.old.Version, "to": ch.bundle.Manifest.Version, "digest": digest, "upToDate": ch.same(),
			"added": ch.shown(ceiling).Requests, "removed": orEmpty(ch.removed.Strings()),
		})
	}
	if ch.same() {
		_, err := fmt.Fprintf(a.Out, "%s %s is up to date\n", ch.old.Name, ch.old.Version)
		return err
	}
	fmt.Fprintf(a.Out, "%s %s to %s from %s\n", ch.old.Name, ch.old.Version, ch.bundle.Manifest.Version, ch.bundle.Source)
	if len(ch.removed) > 0 {
		fmt.Fprintln(a.Out, "  no longer asks for", strings.Join(ch.removed.Strings(), ", "))
	}
	return printAsked(a.Out, "asks besides for", ch.shown(ceiling).Requests)
}

// update pins what lies at the source now.
func (c *pluginUpdateCmd) update(ctx context.Context, a *app, here *installed, ch change) error {
	if ch.same() {
		if a.JSON {
			return a.tellPinned("", ch.old, nil)
		}
		return a.printChange(ch, here.loader.Ceiling)
	}
	if err := a.mayLock(); err != nil {
		return err
	}
	command := strings.TrimSpace("wr plugin update " + ch.old.Name + " " + strings.Trim(capability.Quote(c.Source), "'"))
	more, err := c.decide(a, ch.shown(here.loader.Ceiling), ch.added, here.loader.Ceiling, command)
	if err != nil {
		return err
	}
	p := pin.Pin{Source: ch.bundle.Source, Size: int64(len(ch.bundle.Module)), Limits: ch.old.Limits}
	p.Digest, p.Manifest = ch.bundle.Digests()
	if p, err = pin.Of(ch.bundle.Manifest, p, capability.SetOf(slices.Concat(ch.kept, more)...)); err != nil {
		return err
	}
	return a.keep(ctx, here, p, ch.bundle, "updated")
}
