package container

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/sys/mountinfo"
)

func TestTheControllerOfV1ComesFirst(t *testing.T) {
	mounts := []*mountinfo.Info{
		{FSType: "cgroup2", Root: "/", Mountpoint: "/sys/fs/cgroup/unified"},
		{FSType: "cgroup", Root: "/", Mountpoint: "/cpu", VFSOptions: "rw,cpu"},
		{FSType: "cgroup", Root: "/sub", Mountpoint: "/memory", VFSOptions: "rw,memory"},
	}
	for text, want := range map[string]string{
		"9:name=systemd:/\n4:memory:/sub/b\n0::/u\n": "/memory/b",
		"4:memory:/elsewhere\n":                      "",
		"0::/user.slice/wr\n":                        "/sys/fs/cgroup/unified/user.slice/wr",
		"3:cpu,memory:/sub/m:with:colons\n":          "/memory/m:with:colons",
		"1:cpu:/\n":                                  "",
		"":                                           "",
		"garbage\n":                                  "",
	} {
		if got := groupDir("memory", text, mounts); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// written makes groups of which every controller has these files.
func written(t *testing.T, files map[string]string) cgroups {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cgroups{"cpu": dir, "cpuacct": dir, "memory": dir, "pids": dir}
}

func TestUsageIsReadFromBothVersions(t *testing.T) {
	v1 := map[string]string{
		"cpuacct.usage": "1500000000\n", "memory.usage_in_bytes": "1000\n", "memory.limit_in_bytes": "9223372036854771712\n",
		"memory.stat": "inactive_file 1\ntotal_inactive_file 400\n", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
		"pids.current": "7\n", "pids.max": "max\n", "pids.events": "max 2\n",
	}
	v2 := map[string]string{
		"cpu.stat": "usage_usec 1500000\nuser_usec 9\n", "memory.current": "1000\n", "memory.max": "max\n",
		"memory.stat": "anon 5\ninactive_file 400\n", "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n",
		"pids.current": "7\n", "pids.max": "max\n", "pids.events": "max 2\n",
	}
	for name, files := range map[string]map[string]string{"v1": v1, "v2": v2} {
		t.Run(name, func(t *testing.T) {
			g := written(t, files)
			if got, want := g.usage(), (Usage{CPU: 1500 * time.Millisecond, Memory: 600, Pids: 7}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got, want := g.struck(), (Struck{Memory: 3, Pids: 2}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	limited := written(t, map[string]string{"memory.max": "64\n", "pids.max": "32\n"})
	if got, want := limited.usage(), (Usage{MemoryLimit: 64, PidsLimit: 32}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (cgroups{}).usage(); got != (Usage{}) {
		t.Errorf("without groups: got %+v", got)
	}
}
