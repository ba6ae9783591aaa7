package cli

import (
	"cmp"
	"context"
	gobuild "go/build"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wr-build/wr/host/plugin/builtin"
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
				Builtin:       builtin.Open(os.DirFS(os.Getenv(carriedVariable))),
			}))
		},
	})
}

// shareBuilds has scripts that build a plugin use what was built before, and says
// where wr's own source is, and the modules that it needs.
func shareBuilds(env *testscript.Env) error {
	source, err := filepath.Abs("../../..")
	if err != nil {
		return err
	}
	env.Setenv("SOURCE", source)
	env.Setenv("MODULES", cmp.Or(os.Getenv("GOMODCACHE"), filepath.Join(filepath.SplitList(gobuild.Default.GOPATH)[0], "pkg", "mod")))
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
			if err := lendPlugins(env); err != nil {
				return err
			}
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
