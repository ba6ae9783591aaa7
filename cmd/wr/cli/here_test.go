package cli

import (
	"errors"
	"testing"

	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// inEnv is a wr with some environment.
func inEnv(env map[string]string) *app {
	return &app{Process: Process{LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}}
}

func TestAJobWithoutEngineIsToldOfTheOtherWay(t *testing.T) {
	const other = "if the job runs in the project's own image, wr test --here"
	plain := errors.New("something else")
	for name, c := range map[string]struct {
		ci   string
		err  error
		want string // what is to be done next
	}{
		"a job":             {"true", &fault.Error{Code: "engine.no_cgroups", Next: "wr doctor"}, "wr doctor; or, " + other},
		"with nothing else": {"true", &fault.Error{Code: "engine.start_failed"}, other},
		"a person":          {"", &fault.Error{Code: "engine.no_cgroups", Next: "wr doctor"}, "wr doctor"},
		"another error":     {"true", &fault.Error{Code: "config.unknown_key", Next: "mend it"}, "mend it"},
		"no fault":          {"true", plain, ""},
	} {
		got := inEnv(map[string]string{"CI": c.ci}).orHere(c.err)
		if next := fault.Of(got).Next; next != c.want || fault.Of(got).Code != fault.Of(c.err).Code {
			t.Errorf("%s: got %v, next %q, want %q", name, got, next, c.want)
		}
	}
}

// TestOtherWorkspacesInAContainerAreTestedAsAnywhere: only an engine test can be in
// a container of wr's.
func TestOtherWorkspacesInAContainerAreTestedAsAnywhere(t *testing.T) {
	for _, root := range []string{t.TempDir(), spec.Workspace} {
		for _, project := range []string{"", "infra"} {
			if inEnv(map[string]string{"WR_PROJECT": project}).inContainer(&workspace.Workspace{Root: root}) {
				t.Errorf("WR_PROJECT=%s alone makes %s the workspace of a container", project, root)
			}
		}
	}
}
