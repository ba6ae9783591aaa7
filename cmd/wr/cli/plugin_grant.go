package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wr-build/wr/host/plugin"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/pin"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// pluginGrantCmd is `wr plugin grant`.
type pluginGrantCmd struct {
	Name         string            `arg:"" name:"plugin" predictor:"plugin" help:"The plugin."`
	Capabilities []string          `arg:"" optional:"" name:"capability" help:"What it is granted, as it asks for it or less: fs.read:src/**/*.sh of fs.read:**/*.sh."`
	Limit        map[string]string `placeholder:"KEY=VALUE" help:"Set a limit, such as memory=512MiB or call=2m; an empty value is the default."`
}

// Prepare finds what will be granted.
func (c *pluginGrantCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if len(c.Capabilities)+len(c.Limit) == 0 {
		return deed{}, usage(errors.New("nothing is granted: name a capability, or a limit with --limit"))
	}
	return a.regrant(ctx, c.Name, "granted", func(here *installed, p *plugin.Plugin) (pin.Pin, error) {
		more, err := parseGrants(c.Capabilities, here.loader.Ceiling)
		if err != nil {
			return pin.Pin{}, err
		}
		next, err := pin.Of(p.Manifest, p.Pin, capability.SetOf(slices.Concat(p.Pin.Granted(), more)...))
		if err != nil {
			return pin.Pin{}, err
		}
		for key, value := range c.Limit {
			if err := next.Limits.Set(key, value); err != nil {
				return pin.Pin{}, badLimit(key, err)
			}
		}
		return next, checkLimits(next.Limits, here.loader.Ceiling)
	})
}

// pluginRevokeCmd is `wr plugin revoke`.
type pluginRevokeCmd struct {
	Name         string   `arg:"" name:"plugin" predictor:"plugin" help:"The plugin."`
	Capabilities []string `arg:"" optional:"" name:"capability" help:"What is taken back, as wr.lock has it."`
	All          bool     `help:"Take back everything."`
}

// Prepare finds what will be taken back.
func (c *pluginRevokeCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	if c.All == (len(c.Capabilities) > 0) {
		return deed{}, usage(errors.New("name what is taken back, or everything with --all"))
	}
	return a.regrant(ctx, c.Name, "revoked", func(_ *installed, p *plugin.Plugin) (pin.Pin, error) {
		left := p.Pin.Granted()
		for _, text := range c.Capabilities {
			if !slices.ContainsFunc(p.Pin.Grants, hasText(text)) {
				return pin.Pin{}, notGranted(p.Pin, text)
			}
			left = slices.DeleteFunc(left, func(one abi.Capability) bool { return one.String() == text })
		}
		if c.All {
			left = nil
		}
		return pin.Of(p.Manifest, p.Pin, left)
	})
}

func hasText(text string) func(abi.Request) bool {
	return func(r abi.Request) bool { return r.String() == text }
}

func notGranted(p pin.Pin, text string) error {
	return &fault.Error{
		Code: "grant.none", Class: fault.Usage, Message: fmt.Sprintf("%s is not granted %s", p.Name, text),
		Hint: fault.Closest(text, p.Granted().Strings()), Next: "wr plugin audit",
	}
}

// regrant is the deed of changing what one plugin is granted.
func (a *app) regrant(ctx context.Context, name, done string, change func(*installed, *plugin.Plugin) (pin.Pin, error)) (deed, error) {
	here, err := a.plugins(ctx)
	if err != nil {
		return deed{}, err
	}
	var next pin.Pin
	p, err := here.load(ctx, name)
	if err == nil {
		next, err = change(here, p)
	}
	if err != nil {
		return deed{}, errors.Join(err, here.Close())
	}
	tell := func(done string) error {
		return a.tellPinned(done, next, askedFor(p.Manifest.Capabilities, next.Granted(), here.loader.Ceiling))
	}
	return deed{
		show: func() error { return tell("would be " + done + ":") },
		do: func() error {
			err := a.changePlugins(here.ws, func(pins pin.Pins) (err error) {
				now := *p
				if now.Pin, err = pins.Find(name); err != nil {
					return err
				}
				next, err = change(here, &now)
				pins[name] = next
				return err
			})
			if err != nil {
				return err
			}
			return tell(done + ":")
		},
		end: here.Close,
	}, nil
}

// load loads the plugin with that name.
func (i *installed) load(ctx context.Context, name string) (*plugin.Plugin, error) {
	p, err := i.pins.Find(name)
	if err != nil {
		return nil, err
	}
	return i.loader.Load(ctx, p)
}
