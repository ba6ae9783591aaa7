package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/wr-build/wr/host/ui"
)

// pluginAuditCmd is `wr plugin audit`.
type pluginAuditCmd struct{}

// Help says what is listed.
func (pluginAuditCmd) Help() string {
	return "One line for each capability and plugin, those that were granted first: what it lets the plugin do, the reason that it gives, and what a policy refuses. What it prints is what a reviewer of wr.lock has to judge."
}

// audited is a line of the audit.
type audited struct {
	Plugin string `json:"plugin"`
	asked
	State string `json:"state"` // granted, refused, not granted
}

// Read lists all capabilities of all plugins.
func (pluginAuditCmd) Read(ctx context.Context, a *app) error {
	here, err := a.plugins(ctx)
	if err != nil {
		return err
	}
	defer here.Close()
	all, problems := here.audit(ctx)
	if a.JSON {
		return errors.Join(a.printJSON(orEmpty(all)), problems)
	}
	if len(here.pins) == 0 {
		return noPlugins()
	}
	rows := make([][]string, len(all))
	for i, one := range all {
		state := one.State
		if one.Refused != "" {
			state += " by " + one.Refused
		}
		rows[i] = []string{state, one.Capability, one.Plugin, one.Words + ": " + one.Reason}
	}
	return errors.Join(ui.Table(a.Out, []string{"STATE", "CAPABILITY", "PLUGIN", "WHAT FOR"}, rows), problems)
}

// audit finds what each plugin has, and what of its requests it has not. A plugin
// that cannot be used has nothing, and is a problem.
func (i *installed) audit(ctx context.Context) (all []audited, problems error) {
	names, _ := i.names(nil)
	for _, name := range names {
		p, err := i.loader.Load(ctx, i.pins[name])
		if err != nil {
			problems = errors.Join(problems, err)
			continue
		}
		for _, one := range askedFor(p.Pin.Grants, p.Grant.Capabilities(), i.loader.Ceiling) {
			all = append(all, auditedOf(name, one))
		}
		granted := p.Pin.Granted()
		for _, one := range askedFor(p.Manifest.Capabilities, granted, i.loader.Ceiling) {
			if !one.Granted && !slices.ContainsFunc(p.Pin.Grants, hasText(one.Capability)) {
				all = append(all, auditedOf(name, one))
			}
		}
	}
	slices.SortStableFunc(all, func(x, y audited) int {
		return cmp.Or(cmp.Compare(x.State, y.State), cmp.Compare(x.Capability, y.Capability))
	})
	return all, problems
}

func auditedOf(name string, one asked) audited {
	switch {
	case one.Refused != "":
		return audited{name, one, "refused"}
	case one.Granted:
		return audited{name, one, "granted"}
	default:
		return audited{name, one, "not granted"}
	}
}
