package container

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestOwnerIsAliveOnlyAsTheVerySameProcess(t *testing.T) {
	self := Process(os.Getpid(), 7)
	if !self.Alive() || self.Start == 0 || self.UID != 7 {
		t.Errorf("this process: %+v", self)
	}
	read := parseOwner(map[string]string{LabelOwner: self.label(), LabelCaller: "7"})
	if read != self {
		t.Errorf("read back %+v, want %+v", read, self)
	}
	for name, gone := range map[string]Owner{
		"a reused pid": {PID: self.PID, Start: self.Start + 1},
		"no pid":       {},
		"no label":     parseOwner(nil),
		"a bad label":  parseOwner(map[string]string{LabelOwner: "x:y"}),
	} {
		if gone.Alive() {
			t.Errorf("%s counts as alive", name)
		}
	}
}

func TestParseStatSurvivesNamesAndKnowsZombies(t *testing.T) {
	rest := " 1 1 0 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %d 0 0"
	line := func(name, state string) string {
		return "12 (" + name + ") " + state + strings.Replace(rest, "%d", "4711", 1)
	}
	for _, name := range []string{"sh", "a b", "a) R 1 (b", ")", "(("} {
		if got, err := parseStat(line(name, "S")); err != nil || got != 4711 {
			t.Errorf("%q: got %d, %v", name, got, err)
		}
	}
	for _, bad := range []string{line("sh", "Z"), line("sh", "X"), "", "12 (sh) S 1"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}

func TestMergeKeepsOrderAndTheLastValue(t *testing.T) {
	got := merge([]string{"A=1", "B=1"}, []string{"B=2", "C="}, []string{"A=3", "D"})
	if want := []string{"A=3", "B=2", "C=", "D"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSpecKeepsTheContainerConfined(t *testing.T) {
	m := New(Config{CgroupParent: "wr"})
	ctx := namespaces.WithNamespace(t.Context(), "wr")
	made := &Container{ID: "id", Identity: Identity{Name: "app", Home: "/srv"}}
	c := spec.Container{Network: spec.NetworkNone, Mounts: []spec.Mount{{Source: "/a", Target: "/b", ReadOnly: true}, {Source: "/c", Target: "/d"}}}
	s, err := m.ociSpec(ctx, made, c, &Image{}, hostMounts(c.Mounts, made.Identity))
	if err != nil {
		t.Fatal(err)
	}
	if !s.Process.NoNewPrivileges || s.Linux.Seccomp == nil || len(s.Linux.MaskedPaths) == 0 || len(s.Process.Capabilities.Inheritable) != 0 {
		t.Errorf("not confined: %+v", s.Process)
	}
	if *s.Linux.Resources.Pids.Limit != spec.DefaultPids || s.Linux.Resources.Memory != nil || s.Linux.CgroupsPath != "wr/wr-id" {
		t.Errorf("limits %+v in %s", s.Linux.Resources, s.Linux.CgroupsPath)
	}
	if len(s.Linux.Namespaces) != 5 || s.Version != "1.0.2" || s.Process.Rlimits[0].Hard > maxFiles {
		t.Errorf("namespaces %v, version %s, limits %v", s.Linux.Namespaces, s.Version, s.Process.Rlimits)
	}
	last := s.Mounts[len(s.Mounts)-2:]
	if !slices.Contains(last[0].Options, "rro") || !slices.Contains(last[1].Options, "rw") || !slices.Contains(last[1].Options, "rprivate") {
		t.Errorf("mounts %+v", last)
	}
	c.Network = spec.NetworkHost
	if s, err = m.ociSpec(ctx, made, c, &Image{}, nil); err != nil || len(s.Linux.Namespaces) != 4 || len(s.Linux.Sysctl) != 0 {
		t.Errorf("host network: %v, sysctl %v, error %v", s.Linux.Namespaces, s.Linux.Sysctl, err)
	}
}

func TestLimitsThatCannotBeKeptAreRefusedByName(t *testing.T) {
	m := New(Config{Controllers: []string{}})
	for name, c := range map[string]spec.Container{"pids": {Pids: 10}, "memory": {Memory: 1 << 20}, "cpu": {CPUs: 1}} {
		ctx := namespaces.WithNamespace(t.Context(), "wr")
		_, err := m.ociSpec(ctx, &Container{}, c, &Image{}, nil)
		if !fault.HasCode(err, "limit.unavailable") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx := namespaces.WithNamespace(t.Context(), "wr")
	if s, err := m.ociSpec(ctx, &Container{}, spec.Container{}, &Image{}, nil); err != nil || s.Linux.Resources.Pids != nil {
		t.Errorf("no limit asked for: %v", err)
	}
}

func TestOnlyTheAgentItselfIsDialled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "agent")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f, err := dialAgent(path, os.Getpid())
	if err != nil {
		t.Fatalf("the agent: %v", err)
	}
	f.Close()
	if _, err := dialAgent(path, 1); err == nil {
		t.Error("another process than the agent was accepted")
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if _, err := dialAgent(link, os.Getpid()); err == nil {
		t.Error("a symbolic link was followed")
	}
}

func TestASourceIsOpenedWithoutFollowingALink(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "real", "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, code := range map[string]string{
		"real/below": "", "no": "mount.missing", "link": "mount.symlink", "link/below": "mount.symlink",
	} {
		f, err := openSource(filepath.Join(dir, path))
		if err == nil {
			_ = f.Close()
		}
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("%s: got %v, want code %q", path, err, code)
		}
	}
}

func TestPathsOfMountsAreAbsolute(t *testing.T) {
	if err := checkMounts([]spec.Mount{{Source: t.TempDir(), Target: "/app"}}); err != nil {
		t.Error(err)
	}
	for _, m := range []spec.Mount{{Source: "relative", Target: "/app"}, {Source: "/", Target: "app"}} {
		if err := checkMounts([]spec.Mount{m}); err == nil {
			t.Errorf("%+v passes", m)
		}
	}
}
