package cli

import (
	"context"
	"fmt"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Every command is exactly one of these two; a test walks the grammar. So none
// can forget --dry-run, which is asked for in carryOut and nowhere else.
type (
	// reader is a command that only shows something, with --dry-run or without.
	reader interface {
		Read(ctx context.Context, a *app) error
	}
	// doer is a command that changes something. Prepare finds out what and
	// changes nothing itself, but it may start the engine to ask it.
	doer interface {
		Prepare(ctx context.Context, a *app) (deed, error)
	}
)

// deed is what a command is about to do.
type deed struct {
	show func() error // says what would be done
	do   func() error
	end  func() error // closes what Prepare opened; nil: nothing
}

// nothing is the deed of a command that finds all as it should be.
func nothing() error { return nil }

// would says what a deed would be.
func (a *app) would(words ...any) func() error {
	return func() error {
		_, err := fmt.Fprintln(a.Out, append([]any{"would"}, words...)...)
		return err
	}
}

// carryOut runs a command as what it declares to be.
func (a *app) carryOut(ctx context.Context, command any) error {
	switch c := command.(type) {
	case reader:
		return c.Read(ctx, a)
	case doer:
		d, err := c.Prepare(ctx, a)
		if err != nil {
			return err
		}
		if d.end != nil {
			defer d.end() //nolint:errcheck // all that counts has been done and said
		}
		if a.DryRun {
			return d.show()
		}
		return d.do()
	default:
		return &fault.Error{Code: "cli.grammar", Class: fault.Bug, Message: fmt.Sprintf("%T neither reads nor does", command)}
	}
}

// deedOn is the deed of commands on projects. What bases stand for is
// settled, and wr.lock written, only when it is done; what is shown before is
// selected without that.
func (a *app) deedOn(ctx context.Context, o *opened, show, do func([]plan.Selected) error) deed {
	after := func(find func(context.Context, *opened) ([]plan.Selected, error), use func([]plan.Selected) error) func() error {
		return func() error {
			selected, err := find(ctx, o)
			if err != nil {
				return err
			}
			return use(selected)
		}
	}
	return deed{show: after(a.selectShowing, show), do: after(a.selectMaking, do), end: o.engine.Close}
}

// selectShowing is what a deed is shown with.
func (a *app) selectShowing(ctx context.Context, o *opened) ([]plan.Selected, error) {
	selected, err := a.selectAll(ctx, o)
	if err == nil && o.useLast {
		err = a.replaceMissing(ctx, o, selected)
	}
	return selected, err
}

// selectMaking is what a deed is done with: by now it is settled what bases
// stand for.
func (a *app) selectMaking(ctx context.Context, o *opened) ([]plan.Selected, error) {
	if err := a.settleBases(ctx, o); err != nil {
		return nil, err
	}
	return a.selectShowing(ctx, o)
}
