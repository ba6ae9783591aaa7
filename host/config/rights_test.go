package config

import (
	"slices"
	"strings"
	"testing"
)

const allRights = `[rights]
capabilities = ["NET_ADMIN", "CAP_SYS_PTRACE"]
devices = ["/dev/fuse", "/dev/kvm:/dev/vm:rw"]
mounts."/srv/data" = { source = "~/data", write = true }
ssh_agent = true
credentials = ["git"]
`

func TestRightsAreReadAndListedInOrder(t *testing.T) {
	f, err := Parse("wr.toml", []byte(allRights))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range f.Rights.List() {
		got = append(got, r.String())
	}
	want := []string{
		"capabilities NET_ADMIN CAP_SYS_PTRACE", "devices /dev/fuse /dev/kvm:/dev/vm:rw", "mounts ~/data:/srv/data", "ssh agent", "credentials git",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := f.Rights.Devices[0]; d != (Device{"/dev/fuse", "/dev/fuse", "rwm"}) {
		t.Errorf("a device by its path alone is %+v", d)
	}
}

func TestARightThatMakesNoSenseSaysWhy(t *testing.T) {
	for line, want := range map[string]string{
		`capabilities = ["NET_ADMN"]`:                               `[rights] capabilities[0]: "NET_ADMN" is no capability of Linux`,
		`devices = ["/etc/passwd"]`:                                 `[rights] devices[0]: "/etc/passwd": the path of a device lies below /dev`,
		`devices = ["/dev/../etc/passwd"]`:                          `[rights] devices[0]: "/dev/../etc/passwd": the path of a device lies below /dev`,
		`devices = ["/dev/kvm:/dev/kvm:x"]`:                         `[rights] devices[0]: "/dev/kvm:/dev/kvm:x": what may be done is some of r, w and m`,
		`devices = ["/dev/a:/dev/b:r:w"]`:                           `[rights] devices[0]: "/dev/a:/dev/b:r:w" is not SOURCE:TARGET:ACCESS`,
		`mounts."/app/x".source = "/srv"`:                           `[rights] mounts."/app/x": /app/x belongs to wr or to the system`,
		`mounts."x".source = "/srv"`:                                `[rights] mounts.x: "x" is not an absolute path in the container`,
		`mounts."/x".source = "srv"`:                                `[rights] mounts."/x".source: "srv" is no absolute path`,
		`mounts."/x" = {}`:                                          `[rights] mounts."/x": source is missing`,
		`credentials = ["gti"]`:                                     `[rights] credentials[0]: "gti" is not one of those that wr knows`,
		"reason = \"mounts\\nimages\"":                              `[rights] reason: say it in one line of text`,
		`reason = " "`:                                              `[rights] reason: say it in one line of text`,
		`privileged = "yes"`:                                        `[rights] privileged: expected true or false, got a string`,
		"privileged = true\ndevices = [\"/dev/fuse\"]":              `[rights] privileged: has all capabilities and devices`,
		"ssh_agent = true\n[workspace]\n[policy]\nrights = [\"x\"]": `[policy] rights[0]: "x" is no kind of rights`,
	} {
		t.Run(line, func(t *testing.T) {
			_, err := Parse("wr.toml", []byte("[rights]\n"+line+"\n"))
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestThePolicyBoundsTheRights(t *testing.T) {
	project, err := Parse("wr.toml", []byte(allRights))
	if err != nil {
		t.Fatal(err)
	}
	for policy, want := range map[string]string{
		"":            "",
		"rights = []": Capabilities,
		`rights = ["capabilities", "devices", "mounts", "ssh_agent"]`:                "credentials",
		`rights = ["capabilities", "devices", "mounts", "ssh_agent", "credentials"]`: "",
	} {
		root, err := Parse("wr.toml", []byte("[workspace]\n[policy]\n"+policy+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := root.Refused(project.Rights); got != want {
			t.Errorf("%s refuses %q, want %q", policy, got, want)
		}
	}
}
