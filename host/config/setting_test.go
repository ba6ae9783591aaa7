package config

import (
	"reflect"
	"testing"
)

// TestAValueIsListedAsItsFileHasIt also says that none is listed twice, and
// that a default has no place.
func TestAValueIsListedAsItsFileHasIt(t *testing.T) {
	f, err := Parse("wr.toml", []byte(`[limits]
memory = "512MB"
timeout = "90s"
cpus = 2
[rights]
devices = ["/dev/fuse", "/dev/kvm:/dev/kvm:rw"]
privileged = false
[tasks.serve]
run = ["serve", "--all"]
args = [{ name = "port", type = "int", default = 80 }]
[tasks.check]
run = "make check"
[rights.mounts."/srv/a.b"]
source = "/data"
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Setting{
		"limits.memory":                   {Value: "512MB", Line: 2},
		"limits.timeout":                  {Value: "1m30s", Line: 3},
		"limits.cpus":                     {Value: 2.0, Line: 4},
		"rights.devices":                  {Value: []any{"/dev/fuse", "/dev/kvm:/dev/kvm:rw"}, Line: 6},
		"rights.privileged":               {Value: false, Line: 7},
		"tasks.serve.run":                 {Value: []string{"serve", "--all"}, Line: 9},
		"tasks.serve.args":                {Value: []any{map[string]any{"name": "port", "type": "int", "default": "80"}}, Line: 10},
		"tasks.check.run":                 {Value: "make check", Line: 12},
		`rights.mounts."/srv/a.b".source`: {Value: "/data", Line: 14},
		"image.dockerfile":                {Value: "devops/Dockerfile"},
		"image.entrypoint":                {Value: "once"},
		"policy.build":                    {Value: "allow"},
		"run.network":                     {Value: "host"},
		"test.command":                    {Value: []any{"pytest"}},
		"test.network":                    {Value: "none"},
	}
	for _, got := range f.Settings("infra/wr.toml") {
		one, wanted := want[got.Key]
		delete(want, got.Key)
		one.Key = got.Key
		if one.Line > 0 {
			one.File = "infra/wr.toml"
		}
		if !wanted || !reflect.DeepEqual(got, one) {
			t.Errorf("got %+v, want %+v", got, one)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %+v", want)
	}
}
