package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// imageCmd is `wr image`.
type imageCmd struct {
	Ls   imageLsCmd   `cmd:"" help:"List the images of this workspace."`
	Pull imagePullCmd `cmd:"" help:"Fetch the images of projects from the registry."`
	Push imagePushCmd `cmd:"" help:"Publish the images of projects in the registry."`
	Rm   imageRmCmd   `cmd:"" help:"Remove images from this machine."`
	Base imageBaseCmd `cmd:"" help:"Base images made from the distribution's packages."`
}

type imageBaseCmd struct {
	Create baseCreateCmd `cmd:"" help:"Make a base image; without NAME, those of wr.toml that are missing."`
	Ls     baseLsCmd     `cmd:"" help:"List the base images."`
	Rm     baseRmCmd     `cmd:"" help:"Remove base images."`
}

type baseCreateCmd struct {
	Name    string   `arg:"" optional:"" help:"What a Dockerfile's FROM will call it, such as acme/python."`
	Suite   string   `placeholder:"SUITE" help:"Release of the distribution, such as bookworm."`
	Include []string `placeholder:"PACKAGE,..." help:"Packages to install."`
	Mirror  string   `placeholder:"URL" help:"Package mirror; default: this machine's own."`
	Force   bool     `help:"Make it even if there is one of that name."`
}

// Prepare finds out which bases to make.
func (c *baseCreateCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	wanted, err := c.wanted(ctx, a)
	if err != nil {
		return deed{}, err
	}
	if wanted, err = c.mirrored(ctx, a, wanted); err != nil {
		return deed{}, err
	}
	bases, err := a.bases(ctx)
	if err != nil {
		return deed{}, err
	}
	have, err := bases.List(ctx)
	if err != nil {
		return deed{}, errors.Join(err, bases.Close())
	}
	wanted = slices.DeleteFunc(wanted, func(base image.Base) bool {
		known := slices.ContainsFunc(have, func(i image.BaseImage) bool { return i.Name == base.Ref && i.Tag == base.Tag() })
		if known && !c.Force && c.Name != "" {
			fmt.Fprintln(a.Err, base.Ref, "is there already; --force makes it again")
		}
		return known && !c.Force
	})
	return deed{
		show: func() error {
			for _, base := range wanted {
				fmt.Fprintf(a.Out, "would make %s from %s: %s\n", base.Ref, base.Suite, strings.Join(base.Include, " "))
			}
			return nil
		},
		do: func() error {
			if !a.JSON {
				_, err := a.createBases(ctx, bases, wanted, a.Out)
				return err
			}
			made, err := a.createBases(ctx, bases, wanted, io.Discard)
			return firstError(err, a.printJSON(made))
		},
		end: bases.Close,
	}, nil
}

// mirrored are bases from the mirror of the flag, else from those of the caller.
func (c *baseCreateCmd) mirrored(ctx context.Context, a *app, bases []image.Base) ([]image.Base, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		ws = nil // a base with a name and a suite needs none
	}
	mine, err := a.personal(ctx, ws)
	for i, base := range bases {
		bases[i].Via = via(c.Mirror, mine.Mirrors, base)
	}
	return bases, err
}

// wanted lists what to make: the one that the flags describe, or those of wr.toml.
func (c *baseCreateCmd) wanted(ctx context.Context, a *app) ([]image.Base, error) {
	if c.Suite != "" {
		if c.Name == "" {
			return nil, &fault.Error{Code: "base.no_name", Class: fault.Usage, Message: "a base needs a name", Next: "wr image base create NAME --suite " + c.Suite}
		}
		return []image.Base{{Ref: c.Name, Suite: c.Suite, Include: c.Include}}, nil
	}
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	declared := ws.Config.Bases
	if c.Name == "" {
		var all []image.Base
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			all = append(all, c.declared(name, declared[name]))
		}
		return all, nil
	}
	base, ok := declared[c.Name]
	if !ok {
		return nil, &fault.Error{
			Code: "base.unknown", Class: fault.Usage, Message: fmt.Sprintf("wr.toml has no [bases.%q]", c.Name),
			Hint: fault.Closest(c.Name, slices.Sorted(maps.Keys(declared))), Next: "wr image base create " + c.Name + " --suite bookworm --include python3,python3-pytest",
		}
	}
	return []image.Base{c.declared(c.Name, base)}, nil
}

// declared is a base of wr.toml, the flags over it.
func (c *baseCreateCmd) declared(name string, b config.Base) image.Base {
	base := declaredBase(name, b)
	base.Include = append(slices.Clone(base.Include), c.Include...)
	return base
}

// basesAtOnce bounds how many bases are made side by side: installing packages
// is bound by one core each.
const basesAtOnce = 2

// createBases makes bases and returns those that were made, progress on stderr,
// a line for each on out. One that fails stops no other.
func (a *app) createBases(ctx context.Context, bases *image.Bases, wanted []image.Base, out io.Writer) ([]spec.Image, error) {
	made := make([]spec.Image, len(wanted))
	failed := make([]error, len(wanted))
	var says sync.Mutex // guards the output
	var all errgroup.Group
	all.SetLimit(min(basesAtOnce, a.jobs()))
	for i, base := range wanted {
		all.Go(func() error {
			began := time.Now()
			made[i], failed[i] = bases.Create(ctx, base, func(line string) {
				says.Lock()
				defer says.Unlock()
				if !a.Quiet {
					fmt.Fprintf(a.Err, "%s  %s\n", base.Ref, line)
				}
			})
			says.Lock()
			defer says.Unlock()
			if failed[i] == nil {
				fmt.Fprintf(out, "%s  %s  %s  %s\n", base.Ref, made[i].Digest, size(made[i].Size), time.Since(began).Round(time.Second))
			}
			return nil
		})
	}
	_ = all.Wait() // the errors are in failed
	made = slices.DeleteFunc(made, func(i spec.Image) bool { return i.Ref == "" })
	return made, errors.Join(failed...)
}

type baseLsCmd struct{}

// Read lists bases.
func (baseLsCmd) Read(ctx context.Context, a *app) error {
	bases, err := a.bases(ctx)
	if err != nil {
		return err
	}
	defer bases.Close()
	list, err := bases.List(ctx)
	if err != nil {
		return err
	}
	if a.JSON {
		return a.printJSON(orEmpty(list))
	}
	var rows [][]string
	for _, b := range list {
		rows = append(rows, []string{b.Name, b.Suite, size(b.Size), b.Created.Local().Format(time.DateTime), strings.Join(b.Include, ",")})
	}
	return ui.Table(a.Out, []string{"BASE", "SUITE", ">SIZE", "CREATED", "INCLUDES"}, rows)
}

type baseRmCmd struct {
	Names []string `arg:"" name:"name" help:"The bases to remove."`
}

// Prepare opens the store of the bases.
func (c *baseRmCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	bases, err := a.bases(ctx)
	if err != nil {
		return deed{}, err
	}
	return deed{
		show: a.would("remove", strings.Join(c.Names, " ")),
		do: func() error {
			for _, name := range c.Names {
				if err := bases.Remove(ctx, name); err != nil {
					return err
				}
			}
			return nil
		},
		end: bases.Close,
	}, nil
}

// bases opens the store of base images.
func (a *app) bases(ctx context.Context) (*image.Bases, error) {
	dirs, err := a.dirs()
	if err != nil {
		return nil, err
	}
	if err := engine.Up(ctx, engine.Start{Dirs: dirs}); err != nil {
		return nil, err
	}
	return image.OpenBases(dirs.ContainerdSocket())
}
