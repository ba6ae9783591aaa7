package doctor

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// healthy is a machine without a fault, before any engine was started.
func healthy() Facts {
	return Facts{
		Config: Config{Dirs: engine.SystemDirs(), Workspace: "/w", Version: "1", Program: "/bin/wr"},
		System: "linux", Kernel: "6.1.0",
		Cgroups: engine.Cgroups{Mode: engine.CgroupV2, Controllers: []string{"cpu", "memory", "pids"}, Own: "/a/b"},
		Mapped:  []Mapped{{What: "workspace", Path: "/w", Type: "ext4", Owner: 1000}},
		Engine:  Engine{Err: &fault.Error{Code: "engine.down"}},
		Sockets: []Socket{{Path: "/run/wr", Mode: 0o700}},
		Disks:   []Disk{{What: "state", Path: "/", Free: 50e9, Total: 100e9, Kept: true}},
	}
}

func TestAHealthyMachineNeedsNothing(t *testing.T) {
	for _, c := range Examine(healthy()) {
		if c.Level != OK || c.Mend != "" {
			t.Errorf("%+v, want ok", c)
		}
	}
}

func TestWhatIsWrongComesWithWhatMendsIt(t *testing.T) {
	running := func(f *Facts) *daemon.Status {
		f.Engine = Engine{Status: &daemon.Status{Version: "1", Cgroups: daemon.Cgroups{Mode: "v2", Controllers: wanted}}}
		return f.Engine.Status
	}
	tests := map[string]struct {
		change func(*Facts)
		name   string
		level  Level
		mend   string // part of it
	}{
		"another system":                   {func(f *Facts) { f.Foreign = &fault.Error{Next: "limactl start"} }, "system", Problem, "limactl start"},
		"a user without an engine":         {func(f *Facts) { f.UID = 1000 }, "rights", Problem, "sudo wr engine up --group"},
		"an old kernel":                    {func(f *Facts) { f.Kernel = "5.10.0-8" }, "kernel", Warn, "newer kernel"},
		"no control groups":                {func(f *Facts) { f.Cgroups = engine.Cgroups{Mode: engine.CgroupNone} }, "cgroups", Problem, "mount -t cgroup2"},
		"control groups that are not read": {func(f *Facts) { f.CgroupsErr = errors.New("no /proc") }, "cgroups", Problem, "mount -t proc"},
		"a v2 controller not handed down":  {func(f *Facts) { f.Cgroups.Controllers = []string{"cpu", "pids"} }, "cgroups", Warn, "echo +memory | sudo tee /sys/fs/cgroup/cgroup.subtree_control /sys/fs/cgroup/a/cgroup.subtree_control"},
		"a v1 controller not mounted": {func(f *Facts) {
			f.Cgroups = engine.Cgroups{Mode: engine.CgroupV1, Controllers: []string{"cpu", "memory"}}
		}, "cgroups", Warn, "mount -t cgroup -o pids"},
		"an engine that could not set limits": {
			func(f *Facts) { running(f).Cgroups.Controllers, f.Systemd = nil, true },
			"cgroups", Warn, "systemd-run --collect -p Delegate=yes /bin/wr engine serve",
		},
		"the same without systemd": {
			func(f *Facts) { running(f).Cgroups.Controllers = nil }, "cgroups", Warn,
			"+cpu +memory +pids | sudo tee /sys/fs/cgroup/cgroup.subtree_control && sudo mkdir -p /sys/fs/cgroup/wr-alone && sudo setsid",
		},
		"no overlay in the kernel":          {func(f *Facts) { f.Overlay = syscall.ENODEV }, "overlay", Problem, "sudo modprobe overlay"},
		"a state that cannot be stacked on": {func(f *Facts) { f.Overlay = syscall.EINVAL }, "overlay", Problem, "WR_ENGINE_DIR"},
		"no user namespaces":                {func(f *Facts) { f.UserNS = syscall.ENOSPC }, "userns", Warn, "user.max_user_namespaces"},
		"a user's workspace without idmap":  {func(f *Facts) { f.Mapped[0].Err = syscall.EINVAL }, "idmap workspace", Problem, "uid 1000"},
		"root's workspace without idmap":    {func(f *Facts) { f.Mapped[0].Err, f.Mapped[0].Owner = syscall.EINVAL, 0 }, "idmap workspace", Warn, "ext4"},
		"a missing helper": {func(f *Facts) {
			f.HelperErr = errors.Join(&fault.Error{Code: "helper.missing", Next: "apt-get install runc"})
		}, "helpers", Problem, "apt-get install runc"},
		"a lock without an engine": {func(f *Facts) { f.Engine.Hold = &engine.Hold{PID: 7} }, "engine", Problem, "kill 7"},
		"an engine of another wr":  {func(f *Facts) { running(f).Version = "0" }, "engine", Warn, "wr engine down"},
		"an engine that is denied": {func(f *Facts) { f.Engine.Err = &fault.Error{Code: "engine.denied", Next: "run with sudo"} }, "engine", Problem, "run with sudo"},
		"an engine that warns":     {func(f *Facts) { running(f).Warnings = []string{"slow"} }, "engine", Warn, "engine.log"},
		"a socket for everybody":   {func(f *Facts) { f.Sockets[0].Mode = 0o666 }, "socket", Problem, "chmod o-rwx /run/wr"},
		"a socket of a stranger":   {func(f *Facts) { f.Sockets[0].UID = 5 }, "socket", Problem, "rm -r /run/wr"},
		"little room":              {func(f *Facts) { f.Disks[0].Free = 1e9 }, "disk state", Warn, "wr gc; sudo du"},
		"no room":                  {func(f *Facts) { f.Disks[0].Free = 0 }, "disk state", Problem, "wr gc; sudo du"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := healthy()
			tt.change(&f)
			checks := Examine(f)
			if !slices.ContainsFunc(checks, func(c Check) bool {
				return c.Name == tt.name && c.Level == tt.level && strings.Contains(c.Mend, tt.mend)
			}) {
				t.Errorf("got %+v, want %s: %s with %q", checks, tt.name, tt.level, tt.mend)
			}
			if got, want := Usable(checks), tt.level != Problem; got != want {
				t.Errorf("usable = %v, want %v", got, want)
			}
		})
	}
}

func TestWhatOnlyRootCanTryIsNoFaultOfTheMachine(t *testing.T) {
	f := healthy()
	f.UID, f.Overlay, f.UserNS, f.Mapped[0].Err = 1000, errNeedsRoot, errNeedsRoot, errNeedsRoot
	f.Engine = Engine{Status: &daemon.Status{Version: "1", Cgroups: daemon.Cgroups{Mode: "v2", Controllers: wanted}}}
	for _, c := range Examine(f) {
		if c.Level != OK {
			t.Errorf("%+v, want ok", c)
		}
	}
}
