package image

import (
	"errors"
	"slices"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestWhatABaseNeeds(t *testing.T) {
	good := Base{Ref: "acme/python", Suite: "bookworm", Include: []string{"python3", "git", "python3"}}
	installed := func(missing string) func(string) (string, error) {
		return func(tool string) (string, error) {
			if tool == missing {
				return "", errors.New("not found")
			}
			return "/usr/bin/" + tool, nil
		}
	}
	cases := []struct {
		name, missing, code, next string
		uid                       int
	}{
		{name: "all there"},
		{name: "not root", uid: 1000, code: "base.need_root", next: "sudo wr image base create acme/python --suite bookworm --include python3,git,python3"},
		{name: "no mmdebstrap", missing: "mmdebstrap", code: "base.no_mmdebstrap", next: "apt-get install mmdebstrap (on Debian, Ubuntu and their kin; elsewhere take bases from a registry)"},
		{name: "no apt", missing: "apt-get", code: "base.no_apt_get", next: "apt-get install mmdebstrap (on Debian, Ubuntu and their kin; elsewhere take bases from a registry)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := good.checked(c.uid, installed(c.missing))
			if c.code == "" {
				if err != nil || !slices.Equal(got.Include, []string{"git", "python3"}) || got.Arch == "" {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if f := fault.Of(err); f == nil || f.Code != c.code || f.Next != c.next {
				t.Errorf("got %+v", f)
			}
		})
	}
}
