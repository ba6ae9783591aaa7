package cli

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// pins are what wr.lock says that bases stand for.
type pins struct {
	images map[string]string // of registries: full name to digest
	bases  map[string]string // of [bases]: name and platform to TAG@DIGEST
}

// The tables of wr.lock that hold pins.
const (
	imagesTable = "images"
	basesTable  = "bases"
)

// readPins reads the pins of the workspace at root.
func readPins(root string) (pins, error) {
	dir, err := state.Root(root, spec.Owner{})
	if err != nil {
		return pins{}, err
	}
	defer dir.Close()
	file, err := lock.Read(dir)
	if err != nil {
		return pins{}, err
	}
	return pinsOf(file)
}

// pinsOf are the pins in file.
func pinsOf(file lock.File) (pins, error) {
	p := pins{map[string]string{}, map[string]string{}}
	return p, errors.Join(file.Table(imagesTable, &p.images), file.Table(basesTable, &p.bases))
}

// add takes the pins of other over those of p.
func (p pins) add(other pins) {
	maps.Copy(p.images, other.images)
	maps.Copy(p.bases, other.bases)
}

// keep drops what no Dockerfile of the workspace names any more.
func (p pins) keep(needed map[string]bool, declared map[string]declared) {
	used := map[string]bool{}
	for ref, d := range declared {
		used[d.name] = needed[ref]
	}
	maps.DeleteFunc(p.images, func(ref, _ string) bool {
		_, own := declared[ref]
		return own || !needed[ref]
	})
	maps.DeleteFunc(p.bases, func(key, _ string) bool {
		name, _, _ := strings.Cut(key, " ")
		return !used[name]
	})
}

// names lists what is pinned, for messages.
func (p pins) names() []string {
	return slices.Concat(slices.Sorted(maps.Keys(p.images)), slices.Sorted(maps.Keys(p.bases)))
}

// declared is a base that wr.toml describes.
type declared struct {
	name   string // in wr.toml
	base   image.Base
	remote string // its repository in the workspace's registry; "" = it has none
}

// declaredBases are the bases of wr.toml, by their full names. One whose name
// is none is left to whoever makes it.
func declaredBases(ws *workspace.Workspace) map[string]declared {
	all := map[string]declared{}
	for name, b := range ws.Config.Bases {
		if ref, err := image.FullName(name); err == nil {
			all[ref] = declared{name, declaredBase(name, b), plan.RemoteBase(ws, name)}
		}
	}
	return all
}

// key is what wr.lock calls the base: packages differ between platforms.
func (d declared) key() string { return d.name + " linux/" + runtime.GOARCH }

// pin is what wr.lock says of a base with a digest.
func (d declared) pin(digest string) string { return d.base.Tag() + "@" + digest }

// pinned is the digest that p has for the base as it is declared now, "" for none.
func (d declared) pinned(p pins) string {
	tag, digest, _ := strings.Cut(p.bases[d.key()], "@")
	if d.remote == "" || tag != d.base.Tag() {
		return ""
	}
	return digest
}

// unlocked is the fault of a base that --locked does not let wr resolve.
func unlocked(name string) *fault.Error {
	return &fault.Error{
		Code: "lock.missing", Class: fault.Usage, File: lock.Name, Message: "has no digest of the base " + name + ", and --locked keeps it as it is",
		Next: "wr build without --locked, and commit " + lock.Name,
	}
}

// writePins adds pins to wr.lock; with prune, those that nobody needs go. It
// reads the file again: another wr may have written it by now.
func (a *app) writePins(o *opened, fresh pins, prune bool) error {
	if len(fresh.names()) == 0 && !prune {
		return nil
	}
	return a.changeLock(o.ws, func(file *lock.File) error { return o.repin(file, fresh, prune) })
}

// changeLock changes the wr.lock of a workspace, as it is once nobody else does.
func (a *app) changeLock(ws *workspace.Workspace, change func(*lock.File) error) error {
	caller, err := a.caller(ws)
	if err != nil {
		return err
	}
	dir, err := state.Root(ws.Root, caller)
	if err != nil {
		return err
	}
	defer dir.Close()
	own, err := state.Open(ws.Root, caller)
	if err != nil {
		return err
	}
	defer own.Close()
	unlock, err := own.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	file, err := lock.Read(dir)
	if err != nil {
		return err
	}
	if err := change(&file); err != nil {
		return err
	}
	return file.Write(dir)
}

// repin changes the pins of bases.
func (o *opened) repin(file *lock.File, fresh pins, prune bool) error {
	all, err := pinsOf(*file)
	if err != nil {
		return err
	}
	all.add(fresh)
	if needed, whole := o.everyBase(); prune && whole {
		all.keep(needed, o.sources.declared)
	}
	file.Set(imagesTable, all.images)
	file.Set(basesTable, all.bases)
	return nil
}

// everyBase holds the bases of all projects and images; whole says that none was
// left out.
func (o *opened) everyBase() (needed map[string]bool, whole bool) {
	all := o.ws.Containers()
	whole = !slices.ContainsFunc(all, func(p workspace.Project) bool { return p.Fault != nil })
	from := readSources(o.engine, o.ws, makers(o.ws, all), o.sources.made())
	for _, one := range from.all {
		whole = whole && one.err == nil
	}
	return from.needed(), whole
}

// tellPins says what has been pinned. In CI nobody commits it, so the next run
// may well resolve something else.
func (a *app) tellPins(fresh pins) {
	names := fresh.names()
	switch {
	case len(names) == 0:
	case a.inCI():
		a.warnOf(&fault.Error{
			Code: "lock.incomplete", File: lock.Name, Message: "had no digest of " + strings.Join(names, ", ") + ": another run may find another image",
			Next: "run wr build where you work, and commit " + lock.Name,
		})
	case !a.Quiet:
		for _, name := range names {
			fmt.Fprintf(a.Err, "%s  %s is %s\n", lock.Name, name, fresh.images[name]+fresh.bases[name])
		}
	}
}

// warnOf says f on stderr, as a warning.
func (a *app) warnOf(f *fault.Error) { fmt.Fprint(a.Err, a.style(a.Err).Warning(f)) }
