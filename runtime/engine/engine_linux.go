package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Bounds of Close: how long builds may go on, and how long everything takes.
const (
	buildGrace = 2 * time.Second
	closeBound = 10 * time.Second
)

// Config says how an engine is opened.
type Config struct {
	Dirs    Dirs
	Helpers string // directory of containerd-shim-runc-v2 and runc, before all of PATH; may be ""
	Runc    string // OCI runtime of build steps; "" = runc in Helpers, then on PATH
	Group   string // name or number of the group that may use the engine; "" = the owner only
	Version string // of wr, for whoever finds the lock held
	Debug   bool   // log all that containerd and BuildKit say
}

// Daemons are containerd and BuildKit in this process.
type Daemons struct {
	dirs    Dirs
	access  access
	cgroups Cgroups
	runc    string // path of the OCI runtime

	lock       *os.File
	containerd *containerd
	client     *client.Client
	builds     *builds
	others     atomic.Int64 // connections of other processes

	warnings []string

	closing sync.Once
	closed  error
}

// Open starts the engine of cfg.Dirs: lock, containerd, and a listener for
// BuildKit. ctx bounds the start only; the engine lives until Close. The fault
// engine.held names the process that already runs one.
func Open(ctx context.Context, cfg Config) (_ *Daemons, err error) {
	if err := cfg.Dirs.Validate(); err != nil {
		return nil, err
	}
	a, err := newAccess(cfg.Group)
	if err != nil {
		return nil, err
	}
	d := &Daemons{dirs: cfg.Dirs, access: a}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if err := makeDir(d.dirs.State, 0o700, -1); err != nil {
		return nil, err
	}
	hold := Hold{PID: os.Getpid(), Since: time.Now().UTC(), Version: cfg.Version, Dirs: d.dirs}
	if d.lock, err = acquire(hold); err != nil {
		return nil, err
	}
	if err := cleanProcess(cfg.Helpers, cfg.Debug); err != nil {
		return nil, err
	}
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	return d, d.start(context.WithoutCancel(ctx), cfg, hold.Since)
}

// prepare makes directories and control groups.
func (d *Daemons) prepare(ctx context.Context) error {
	if err := d.dirs.makeDirs(d.access); err != nil {
		return err
	}
	cgroups, err := enterCgroups(ctx)
	d.cgroups = cgroups
	if err != nil {
		d.warn(ctx, fmt.Sprintf("containers cannot be limited: %v", err))
		return nil
	}
	if cgroups.Mode == CgroupNone {
		return noCgroups()
	}
	return nil
}

// enterCgroups is joinCgroups where the engine was started, or, if others are in
// the group there and systemd runs, in a scope of its own.
func enterCgroups(ctx context.Context) (Cgroups, error) {
	pid := os.Getpid()
	cgroups, err := joinCgroups("/", pid)
	if err == nil || cgroups.Mode != CgroupV2 || !systemdRuns() {
		return cgroups, err
	}
	cgroups.leave("/", pid)
	if scopeErr := ownScope(ctx, cgroups.Own); scopeErr != nil {
		err = errors.Join(err, scopeErr)
	}
	again, againErr := joinCgroups("/", pid)
	if againErr == nil {
		return again, nil
	}
	return again, err
}

// sweep removes what an engine that died has left and mends a damaged state.
// Build steps come first: what they have mounted would move aside with the
// state, where nobody looks for it, and be deleted with it one day.
func (d *Daemons) sweep(ctx context.Context, runc string, now time.Time) error {
	if err := errors.Join(sweepBundles(d.dirs), sweepUploads(d.dirs), sweepBuilds(ctx, d.dirs, runc)); err != nil {
		d.warn(ctx, err.Error())
	}
	warning, err := mendState(d.dirs, now)
	if warning == "" {
		return err
	}
	d.warn(ctx, warning)
	if err := sweepContainers(ctx, d.dirs, runc); err != nil {
		d.warn(ctx, err.Error())
	}
	return err
}

// start starts the daemons. Its context ends with Close only.
func (d *Daemons) start(ctx context.Context, cfg Config, now time.Time) error {
	runc, err := findRunc(cfg)
	if err != nil {
		return err
	}
	d.runc = runc
	if err := d.sweep(ctx, runc, now); err != nil {
		return err
	}
	err = d.dirs.guard("containerd", func() error {
		d.containerd, err = newContainerd(ctx, d.dirs, d.access, &d.others)
		return err
	})
	if err != nil {
		return err
	}
	if d.client, err = d.containerd.dial(); err != nil {
		return err
	}
	l, err := d.Listen(d.dirs.BuildkitSocket())
	if err != nil {
		return err
	}
	maker := controllerMaker{dirs: d.dirs, runc: runc, cgroups: d.cgroups, client: d.client}
	d.builds = newBuilds(ctx, counted{l, &d.others}, func(ctx context.Context) (server buildServer, err error) {
		return server, d.dirs.guard("buildkit", func() error {
			server, err = maker.make(ctx)
			return err
		})
	})
	return nil
}

// warn remembers a warning for Status and writes it to the log.
func (d *Daemons) warn(ctx context.Context, text string) {
	d.warnings = append(d.warnings, text)
	log.G(ctx).Warn(text)
}

// findRunc returns the path of the OCI runtime.
func findRunc(cfg Config) (string, error) {
	name := cfg.Runc
	if name == "" {
		name = "runc"
		if own := filepath.Join(cfg.Helpers, name); cfg.Helpers != "" && isFile(own) {
			name = own
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &fault.Error{
			Code:    "engine.no_runc",
			Message: "there is no OCI runtime: " + name + " was not found",
			Next:    "install it: `sudo apt-get install runc`",
			Err:     err,
		}
	}
	return filepath.Abs(path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// Containerd returns a client of the embedded containerd, in memory and with
// the namespace wr. It belongs to the engine: do not close it.
func (d *Daemons) Containerd() *client.Client { return d.client }

// Builds returns how many builds are under way.
func (d *Daemons) Builds() int { return int(d.builds.running.Load()) }

// Connections returns how many connections other processes have to containerd
// and BuildKit. An engine that somebody is connected to is not idle.
func (d *Daemons) Connections() int { return int(d.others.Load()) }

// Cgroups returns where containers go and which limits can be set on them.
func (d *Daemons) Cgroups() Cgroups { return d.cgroups }

// CgroupParent is Cgroups().Parent(): the start of every container's OCI
// cgroupsPath.
func (d *Daemons) CgroupParent() string { return d.cgroups.Parent() }

// Dirs returns the engine's directories.
func (d *Daemons) Dirs() Dirs { return d.dirs }

// Warnings returns what a user should know about the start, for the status.
func (d *Daemons) Warnings() []string { return d.warnings }

// Listen opens a unix socket that the engine's owner, and its group, may
// connect to. A socket that lies there is replaced.
func (d *Daemons) Listen(path string) (*net.UnixListener, error) { return listen(path, d.access) }

// Close ends the daemons and gives the lock back; containers go on. It may be
// called again, and after an Open that failed half-way.
func (d *Daemons) Close() error {
	d.closing.Do(func() {
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.closed = d.close()
		}()
		timer := time.NewTimer(closeBound)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			d.closed = fmt.Errorf("engine did not close within %s", closeBound)
		}
	})
	return d.closed
}

// close undoes Open in reverse.
func (d *Daemons) close() error {
	if d.builds != nil {
		d.builds.close(buildGrace)
	}
	var errs []error
	if d.client != nil {
		errs = append(errs, d.client.Close())
	}
	if d.containerd != nil {
		d.containerd.close()
	}
	d.cgroups.leave("/", os.Getpid())
	if d.lock != nil {
		errs = append(errs, d.lock.Close())
	}
	return errors.Join(errs...)
}
