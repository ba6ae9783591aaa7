package engine

import (
	"os"
	"reflect"
	"testing"
	"testing/fstest"
)

// fake is a machine with these control groups.
func fake(cgroup, mountinfo string, dirs ...string) fstest.MapFS {
	fsys := fstest.MapFS{
		"proc/self/cgroup":    {Data: []byte(cgroup)},
		"proc/self/mountinfo": {Data: []byte(mountinfo)},
	}
	for _, dir := range dirs {
		fsys[dir] = &fstest.MapFile{Mode: os.ModeDir | 0o755}
	}
	return fsys
}

const (
	v1Memory = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	v1CPU    = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
	v1Name   = "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
	v2Hybrid = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	v2Only   = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	rootFS   = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
)

func TestDetectCgroups(t *testing.T) {
	tests := []struct {
		name   string
		fsys   fstest.MapFS
		want   Cgroups
		parent string
		build  string
	}{
		{
			name: "v1 with a nested memory group",
			fsys: fake("4:memory:/a/b\n2:cpu,cpuacct:/\n1:name=systemd:/\n", rootFS+v1Memory+v1CPU+v1Name,
				"sys/fs/cgroup/memory/a/b", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/systemd"),
			want: Cgroups{
				Mode: CgroupV1, Controllers: []string{"cpu", "cpuacct", "memory"},
				dirs: []string{"sys/fs/cgroup/memory/a/b", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/systemd"},
			},
			parent: "wr", build: "wr/build.slice:",
		},
		{
			name:   "hybrid",
			fsys:   fake("4:memory:/a\n0::/\n", v1Memory+v2Hybrid, "sys/fs/cgroup/memory/a", "sys/fs/cgroup/unified"),
			want:   Cgroups{Mode: CgroupHybrid, Controllers: []string{"memory"}, dirs: []string{"sys/fs/cgroup/memory/a", "sys/fs/cgroup/unified"}},
			parent: "wr", build: "wr/build.slice:",
		},
		{
			name: "v1 inside a container that sees its own part of the tree",
			fsys: fake("4:memory:/docker/c1/x\n",
				"35 31 0:32 /docker/c1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", "sys/fs/cgroup/memory/x"),
			want:   Cgroups{Mode: CgroupV1, Controllers: []string{"memory"}, dirs: []string{"sys/fs/cgroup/memory/x"}},
			parent: "wr", build: "wr/build.slice:",
		},
		{
			name:   "v1 mounted read-only has no limits",
			fsys:   fake("4:memory:/\n", "35 31 0:32 / /sys/fs/cgroup/memory ro,relatime - cgroup cgroup rw,memory\n", "sys/fs/cgroup/memory"),
			want:   Cgroups{Mode: CgroupV1, dirs: []string{"sys/fs/cgroup/memory"}},
			parent: "wr", build: "wr/build.slice:",
		},
		{
			name: "v2 in a session",
			fsys: fstest.MapFS{
				"proc/self/cgroup":    {Data: []byte("0::/user.slice/s1.scope\n")},
				"proc/self/mountinfo": {Data: []byte(rootFS + v2Only)},
				"sys/fs/cgroup/user.slice/s1.scope/cgroup.controllers": {Data: []byte("cpu io memory pids hugetlb rdma\n")},
			},
			want: Cgroups{
				Mode: CgroupV2, Own: "/user.slice/s1.scope", Controllers: []string{"cpu", "io", "memory", "pids"},
				dirs: []string{"sys/fs/cgroup/user.slice/s1.scope"},
			},
			parent: "/user.slice/s1.scope/wr", build: "/user.slice/s1.scope/wr",
		},
		{
			name:   "v2 at the root",
			fsys:   fake("0::/\n", v2Only, "sys/fs/cgroup"),
			want:   Cgroups{Mode: CgroupV2, Own: "/", dirs: []string{"sys/fs/cgroup"}},
			parent: "/wr", build: "/wr",
		},
		{
			name:   "v2 from an engine's own group",
			fsys:   fake("0::/a/wr-engine\n", v2Only, "sys/fs/cgroup/a"),
			want:   Cgroups{Mode: CgroupV2, Own: "/a", dirs: []string{"sys/fs/cgroup/a"}},
			parent: "/a/wr", build: "/a/wr",
		},
		{
			name: "a v2 group outside of what is mounted",
			fsys: fake("0::/../other\n", "30 23 0:26 /docker/c1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "sys/fs/cgroup"),
			want: Cgroups{Mode: CgroupNone},
		},
		{
			name:   "v2 beside a named hierarchy",
			fsys:   fake("1:name=systemd:/\n0::/a\n", v1Name+v2Only, "sys/fs/cgroup/systemd", "sys/fs/cgroup/a"),
			want:   Cgroups{Mode: CgroupV2, Own: "/a", dirs: []string{"sys/fs/cgroup/a"}},
			parent: "/a/wr", build: "/a/wr",
		},
		{name: "nothing mounted", fsys: fake("4:memory:/\n", rootFS), want: Cgroups{Mode: CgroupNone}},
		{
			name: "a kernel without",
			fsys: fstest.MapFS{"proc/self/mountinfo": {Data: []byte(rootFS)}},
			want: Cgroups{Mode: CgroupNone},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DetectCgroups(tt.fsys)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.Parent() != tt.parent || got.buildParent() != tt.build {
				t.Errorf("got parents %q and %q, want %q and %q", got.Parent(), got.buildParent(), tt.parent, tt.build)
			}
		})
	}
}

func TestDetectCgroupsNeedsMountinfo(t *testing.T) {
	if _, err := DetectCgroups(fstest.MapFS{"proc/self/cgroup": {Data: []byte("0::/\n")}}); err == nil {
		t.Error("got no error")
	}
}
