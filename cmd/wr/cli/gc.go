package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// gcCmd is `wr gc`.
type gcCmd struct {
	Budget string        `placeholder:"SIZE" help:"What images and caches may take, as 20GB; 0: only what is in use stays. Default: a fifth of the disk, and what keeps a twentieth of it free, but never less than 5 GiB."`
	Unused time.Duration `default:"168h" help:"Since when an image with a newer one, or a kept container, must be unused to go whatever the budget."`
}

// Help says what goes, in which order, and what never does.
func (gcCmd) Help() string {
	return `What goes, in this order: what crashes have left; state that was put aside as damaged; helper programs of other builds of wr, and code of plugins that was not used for --unused; images that have a newer one and were not used for --unused; and then, only while everything takes more than the budget, the build cache, kept containers that nobody uses, and images, those that have a newer one before the others, each the oldest use first.

What never goes: what is in use, code of this workspace's plugins, the images of this workspace's projects as they are now and the newest of each, base images, and anything that wr did not make.`
}

// Prepare finds out what this workspace needs.
func (c *gcCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	budget, err := c.budget()
	if err != nil {
		return deed{}, err
	}
	keep, err := a.neededImages(ctx)
	if err != nil {
		return deed{}, err
	}
	dirs, err := a.dirs()
	if err != nil {
		return deed{}, err
	}
	client, err := a.up(ctx, dirs, "")
	if err != nil {
		return deed{}, err
	}
	clean := func(dry bool) func() error {
		return func() error {
			done, err := client.Clean(ctx, daemon.Cleaning{Keep: keep, Budget: budget, Unused: max(c.Unused, 1), DryRun: dry})
			if err != nil {
				return err
			}
			removed, err := a.cleanCaches(ctx, max(c.Unused, 1), dry)
			if err != nil {
				a.warnOf(fault.Of(err))
			}
			done.Removed = append(done.Removed, removed...)
			return a.printCleaned(cleaned{done, a.cacheSizes()}, dry)
		}
	}
	return deed{show: clean(true), do: clean(false)}, nil
}

// budget is the flag in bytes, -1 when it is not given.
func (c *gcCmd) budget() (int64, error) {
	if c.Budget == "" {
		return -1, nil
	}
	bytes, err := units.FromHumanSize(c.Budget)
	if err != nil {
		return 0, &fault.Error{
			Code: "cli.usage", Class: fault.Usage,
			Message: fmt.Sprintf("--budget %s is not a size", c.Budget), Next: "write a number and a unit, such as --budget 20GB", Err: err,
		}
	}
	return bytes, nil
}

// neededImages are those that the workspace needs, of projects and of [images];
// none outside of one.
func (a *app) neededImages(ctx context.Context) ([]string, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if fault.HasCode(err, "workspace.not_found") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o, err := a.openAll(ctx, ws, choice{projects: ws.Containers()})
	if err != nil {
		return nil, err
	}
	defer o.engine.Close()
	selected, err := a.selectAll(ctx, o)
	if err != nil {
		return nil, err
	}
	images, err := o.engine.Images(ctx)
	if err != nil {
		return nil, err
	}
	return needed(ws, selected, images), nil
}

// needed are the images of projects as they are now with the bases they are
// pinned to, and of those in the store
// the newest one of each, which --use-last runs. A project that is broken has
// only that.
func needed(ws *workspace.Workspace, selected []plan.Selected, images []spec.Image) []string {
	var all []string
	for _, s := range selected {
		ref := plan.Ref(ws, s)
		if s.Broken == nil {
			all = append(all, ref)
		}
		for _, stands := range slices.Sorted(maps.Values(s.Bases)) {
			name, _, _ := strings.Cut(stands, "@")
			all = append(all, name)
		}
		if last, found := newest(images, ref); found && last.Ref != ref {
			all = append(all, last.Ref)
		}
	}
	return all
}

// cleaned is what became of the engine's state and of the caches.
type cleaned struct {
	daemon.Cleaned
	Caches []cacheSize `json:"caches"`
}

// printCleaned says what went, or would go.
func (a *app) printCleaned(done cleaned, dry bool) error {
	if a.JSON {
		return a.printJSON(done)
	}
	verb, about := "removed", ""
	if dry {
		verb, about = "would remove", "about "
	}
	if !a.Quiet {
		for _, r := range done.Removed {
			printRemoved(a.Out, verb, r)
		}
	}
	_, err := fmt.Fprintf(a.Out, "%s%s freed, %s left; the budget is %s\n", about, size(max(0, done.Before-done.After)), size(done.After), size(done.Budget))
	a.printCaches(done.Caches)
	if done.After > done.Budget {
		fmt.Fprintln(a.Err, "the rest is in use or needed by this workspace")
	}
	return err
}

// printRemoved writes one line.
func printRemoved(to io.Writer, verb string, r daemon.Removed) {
	line := fmt.Sprintf("%s %s %s", verb, r.Kind, r.Name)
	if r.Size > 0 {
		line += ", " + size(r.Size)
	}
	if !r.Used.IsZero() {
		line += ", used " + age(r.Used) + " ago"
	}
	fmt.Fprintf(to, "%s: %s\n", line, r.Why)
}
