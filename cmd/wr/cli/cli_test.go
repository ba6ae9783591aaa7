package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary a wr with a fake engine when a script calls it so.
func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"wr": func() {
			os.Exit(Main(context.Background(), os.Args[1:], Process{
				In: os.Stdin, Out: os.Stdout, Err: os.Stderr, LookupEnv: os.LookupEnv,
				Connect: func(context.Context) (Engine, error) {
					return fakeEngine{dir: os.Getenv("FAKE_ENGINE")}, nil
				},
				PluginProgram: os.Getenv(pluginProgramVariable),
			}))
		},
	})
}

// cleaning runs the tests and removes what they have built.
type cleaning struct{ *testing.M }

func (t cleaning) Run() int {
	code := t.M.Run()
	if program, err := pluginProgram(); err == nil {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	return code
}

// pluginProgramVariable tells the wr of tests which program runs plugins.
const pluginProgramVariable = "WR_TEST_PLUGIN_PROGRAM"

// pluginProgram is that program, built once as wr is: static and without the race
// detector.
var pluginProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wr-plugin")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "wr-plugin")
	build := exec.Command("go", "build", "-o", path, "../../../host/plugin/sandbox/wr-plugin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return path, build.Run()
})

// shareBuilds has scripts that build a plugin use what was built before.
func shareBuilds(env *testscript.Env) error {
	dir := os.Getenv("GOCACHE")
	if dir == "" {
		own, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		dir = filepath.Join(own, "go-build")
	}
	env.Setenv("GOCACHE", dir)
	return nil
}

// TestScripts says what wr does on a command line, without an engine.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Condition:           func(name string) (bool, error) { return name == "fake", nil },
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			program, err := pluginProgram()
			if err != nil {
				return err
			}
			env.Setenv(pluginProgramVariable, program)
			env.Setenv("FAKE_ENGINE", filepath.Join(env.WorkDir, ".engine"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, ".home"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("WR_CACHE_DIR", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("REGISTRY", fakeRegistry+"/acme")
			env.Setenv("PYTHONDONTWRITEBYTECODE", "1")
			return shareBuilds(env)
		},
	})
}
