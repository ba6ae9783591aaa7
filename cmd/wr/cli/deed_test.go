package cli

import (
	"context"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// TestEveryCommandDeclaresWhetherItDoesAnything keeps --dry-run true: a doer
// says what it would do, and what is no doer may only read.
func TestEveryCommandDeclaresWhetherItDoesAnything(t *testing.T) {
	var g grammar
	parser, err := kong.New(&g, options()...)
	if err != nil {
		t.Fatal(err)
	}
	leaves := parser.Model.Leaves(false)
	if len(leaves) < 15 {
		t.Fatalf("only %d commands found", len(leaves))
	}
	for _, leaf := range leaves {
		command := leaf.Target.Addr().Interface()
		_, reads := command.(reader)
		_, does := command.(doer)
		if reads == does {
			t.Errorf("%s: %T reads: %v, does: %v; want exactly one", leaf.FullPath(), command, reads, does)
		}
	}
}

// deeds is a doer that notes what was asked of it.
type deeds struct{ asked []string }

func (d *deeds) Prepare(context.Context, *app) (deed, error) {
	note := func(what string) func() error {
		return func() error {
			d.asked = append(d.asked, what)
			return nil
		}
	}
	return deed{show: note("show"), do: note("do"), end: note("end")}, nil
}

func TestADryRunShowsAndDoesNot(t *testing.T) {
	for dry, want := range map[bool]string{true: "show", false: "do"} {
		d := &deeds{}
		if err := (&app{Globals: Globals{DryRun: dry}}).carryOut(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		if len(d.asked) != 2 || d.asked[0] != want || d.asked[1] != "end" {
			t.Errorf("--dry-run=%v: asked for %q, want %q and then the end", dry, d.asked, want)
		}
	}
}

func TestACommandThatDeclaresNothingIsABug(t *testing.T) {
	err := (&app{}).carryOut(t.Context(), struct{}{})
	if f := fault.Of(err); err == nil || f.Class != fault.Bug {
		t.Errorf("error = %v, want a bug of wr", err)
	}
}
