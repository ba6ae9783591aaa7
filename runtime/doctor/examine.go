package doctor

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// errNeedsRoot is a trial that only root can make.
var errNeedsRoot = errors.New("only root can try")

// fromFault is a problem that wr explains elsewhere too.
func fromFault(name string, err error) Check {
	f := fault.Of(err)
	return Check{Name: name, Level: Problem, Finding: f.Message, Mend: f.Next}
}

// untried is a check that this user has no rights for. It is no warning: what
// counts is what the engine may do.
func untried(name string) Check { return good(name, "not tried: only root can") }

// rights says whether this user gets an engine at all.
func (f Facts) rights() Check {
	switch {
	case f.UID == 0:
		return good("rights", "root: may start an engine")
	case f.Engine.Status != nil:
		return good("rights", "uid %d may use the engine in %s", f.UID, f.Engine.Status.RunDir)
	}
	return Check{
		"rights", Problem,
		fmt.Sprintf("uid %d may use no engine, and only root can start one; whoever may use it is as good as root", f.UID),
		`sudo wr engine up --group "$(id -gn)"`,
	}
}

// kernel wants mount_setattr, which is what maps owners.
func (f Facts) kernel() Check {
	var major, minor int
	if _, err := fmt.Sscanf(f.Kernel, "%d.%d", &major, &minor); err == nil && (major < 5 || major == 5 && minor < 12) {
		return Check{"kernel", Warn, "Linux " + f.Kernel + " cannot map owners of files, 5.12 and newer can", "install a newer kernel"}
	}
	return good("kernel", "Linux %s", f.Kernel)
}

// wanted are the controllers of the limits that wr sets.
var wanted = []string{"cpu", "memory", "pids"}

func (f Facts) cgroups() Check {
	if f.CgroupsErr != nil {
		return Check{"cgroups", Problem, f.CgroupsErr.Error(), "sudo mount -t proc none /proc"}
	}
	mode, controllers := f.Cgroups.Mode, f.Cgroups.Controllers
	if s := f.Engine.Status; s != nil { // it knows what it could set, not what was offered
		mode, controllers = engine.CgroupMode(s.Cgroups.Mode), s.Cgroups.Controllers
	}
	if mode == engine.CgroupNone || mode == "" {
		return Check{"cgroups", Problem, "none are mounted, and no container starts without", "sudo mount -t cgroup2 none /sys/fs/cgroup"}
	}
	finding := fmt.Sprintf("%s, limits for %s", mode, strings.Join(controllers, " "))
	missing := slices.DeleteFunc(slices.Clone(wanted), func(c string) bool { return slices.Contains(controllers, c) })
	if len(missing) == 0 {
		return good("cgroups", "%s", finding)
	}
	return Check{"cgroups", Warn, finding + "; none for " + strings.Join(missing, " "), f.offer(mode, missing)}
}

// offer is the command that makes limits possible.
func (f Facts) offer(mode engine.CgroupMode, missing []string) string {
	switch {
	case mode != engine.CgroupV2:
		dir := "/sys/fs/cgroup/" + missing[0]
		return fmt.Sprintf("sudo mkdir -p %s && sudo mount -t cgroup -o %s none %s", dir, missing[0], dir)
	case f.Engine.Status == nil:
		return handDown(missing, f.Cgroups.Own)
	case f.Systemd:
		return fmt.Sprintf("wr engine down && sudo systemd-run --collect -p Delegate=yes %s engine serve", f.Program)
	default: // others are in the engine's group, so it starts in one where nobody is
		return fmt.Sprintf("wr engine down && %s && sudo mkdir -p %s && sudo setsid -f sh -c 'echo $$ >%s/cgroup.procs && exec %s engine serve'",
			handDown(missing, "/wr-alone"), alone, alone, f.Program)
	}
}

// alone is the control group of an engine that is not to share one.
const alone = "/sys/fs/cgroup/wr-alone"

// handDown is the command that gives a v2 group controllers. Each group above it
// has to hand them down, the topmost first.
func handDown(controllers []string, group string) string {
	files := ""
	for dir := path.Dir(group); ; dir = path.Dir(dir) {
		files = " " + path.Join("/sys/fs/cgroup", dir, "cgroup.subtree_control") + files
		if dir == "/" || dir == "." {
			return fmt.Sprintf("echo +%s | sudo tee%s", strings.Join(controllers, " +"), files)
		}
	}
}

func (f Facts) overlay() Check {
	switch {
	case f.Overlay == nil:
		return good("overlay", "layers can be stacked below %s", f.Dirs.State)
	case errors.Is(f.Overlay, errNeedsRoot):
		return untried("overlay")
	case errors.Is(f.Overlay, syscall.ENODEV):
		return Check{"overlay", Problem, "the kernel has no overlay file system", "sudo modprobe overlay"}
	default:
		return Check{"overlay", Problem, f.Overlay.Error(), "set WR_ENGINE_DIR to a directory on ext4, xfs or btrfs"}
	}
}

func (f Facts) userns() Check {
	switch {
	case f.UserNS == nil:
		return good("userns", "user namespaces can be made")
	case errors.Is(f.UserNS, errNeedsRoot):
		return untried("userns")
	default:
		return Check{"userns", Warn, f.UserNS.Error(), "sudo sysctl user.max_user_namespaces=10000"}
	}
}

// mapped is a problem only for the workspace of an ordinary user: root's files
// need no mapping for a container's root.
func (f Facts) mapped(m Mapped) Check {
	name, where := "idmap "+m.What, fmt.Sprintf("%s (%s)", m.Path, m.Type)
	switch {
	case m.Err == nil:
		return good(name, "owners of files in %s can be mapped", where)
	case errors.Is(m.Err, errNeedsRoot):
		return untried(name)
	case f.UserNS != nil:
		return Check{name, Warn, "owners of files in " + where + " cannot be mapped without a user namespace", f.userns().Mend}
	}
	c := Check{name, Warn, fmt.Sprintf("owners of files in %s cannot be mapped: %v", where, m.Err), "move it to ext4, xfs, btrfs or tmpfs"}
	if m.What == "workspace" && m.Owner != 0 {
		c.Level, c.Mend = Problem, fmt.Sprintf("move it to ext4, xfs, btrfs or tmpfs, or set [image] user to uid %d", m.Owner)
	}
	return c
}

// helpers lists the programs, then what is wrong with them.
func (f Facts) helpers() []Check {
	var checks []Check
	for _, p := range f.Helpers {
		if p.Path != "" {
			checks = append(checks, good(p.Name, "%s (%s)", p.Version, p.Source))
		}
	}
	if f.HelperErr == nil {
		return checks
	}
	all := []error{f.HelperErr}
	if joined, ok := f.HelperErr.(interface{ Unwrap() []error }); ok { // errors.As finds the first only
		all = joined.Unwrap()
	}
	for _, err := range all {
		checks = append(checks, fromFault("helpers", err))
	}
	return checks
}

func (f Facts) engine() []Check {
	e := f.Engine
	switch {
	case e.Status != nil:
		return f.running()
	case fault.HasCode(e.Err, "engine.version_skew"), e.Err != nil && !fault.HasCode(e.Err, "engine.down"):
		return []Check{fromFault("engine", e.Err)}
	case e.Hold != nil && e.Hold.PID != 0:
		return []Check{{
			"engine", Problem,
			fmt.Sprintf("pid %d holds %s since %s and does not answer", e.Hold.PID, f.Dirs.Lock(), e.Hold.Since.Local().Format(time.DateTime)),
			fmt.Sprintf("sudo kill %d", e.Hold.PID),
		}}
	case f.UID != 0:
		return []Check{good("engine", "none runs in %s", f.Dirs.Run)}
	default:
		return []Check{good("engine", "none runs in %s; the first command that needs one starts it", f.Dirs.Run)}
	}
}

// running describes an engine that answers.
func (f Facts) running() []Check {
	s := f.Engine.Status
	c := good("engine", "wr %s, pid %d, containerd %s, buildkit %s, since %s",
		s.Version, s.PID, s.Containerd, s.BuildKit, s.Since.Local().Format(time.DateTime))
	if s.Version != f.Version {
		c.Level, c.Mend = Warn, "wr engine down"
		c.Finding += fmt.Sprintf("; this is wr %s", f.Version)
	}
	checks := []Check{c}
	for _, w := range s.Warnings {
		checks = append(checks, Check{"engine", Warn, w, "read " + f.Dirs.Log()})
	}
	return checks
}

// socket refuses one that others may use, or may have put there.
func (f Facts) socket(s Socket) Check {
	c := good("socket", "%s %04o of %d:%d", s.Path, s.Mode, s.UID, s.GID)
	switch {
	case s.UID != 0 && s.UID != f.UID:
		c.Level, c.Mend = Problem, "sudo rm -r "+s.Path
	case s.Mode&0o007 != 0:
		c.Level, c.Mend = Problem, "sudo chmod o-rwx "+s.Path
	}
	return c
}

// The room below which builds are likely to fail, or certain to.
const (
	littleRoom = 5_000_000_000
	noRoom     = 500_000_000
)

func (d Disk) check() Check {
	c := good("disk "+d.What, "%.1f of %.1f GB free in %s", float64(d.Free)/1e9, float64(d.Total)/1e9, d.Path)
	switch {
	case d.Free < noRoom:
		c.Level = Problem
	case d.Free < littleRoom:
		c.Level = Warn
	default:
		return c
	}
	c.Mend = fmt.Sprintf("sudo du -xh --max-depth=2 %s | sort -h", d.Path)
	if d.Kept {
		c.Mend = "wr gc; " + c.Mend
	}
	return c
}
