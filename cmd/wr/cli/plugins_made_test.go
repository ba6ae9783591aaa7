package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wr-build/wr/host/plugin/builtin"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
)

// cleaning runs the tests and removes what they have built.
type cleaning struct{ *testing.M }

func (t cleaning) Run() int {
	code := t.M.Run()
	if dir, err := pluginsMade(); err == nil {
		_ = os.RemoveAll(dir)
	}
	return code
}

// What the wr of tests is told in its environment: which program runs plugins, and
// the folder with the plugins that it carries.
const (
	pluginProgramVariable = "WR_TEST_PLUGIN_PROGRAM"
	carriedVariable       = "WR_TEST_CARRIED"
)

// lendPlugins has a script run plugins, and carry none until it says so: one in
// $CARRIED/old, and a newer one that asks for more in $CARRIED/new.
func lendPlugins(env *testscript.Env) error {
	dir, err := pluginsMade()
	env.Setenv(pluginProgramVariable, filepath.Join(dir, "wr-plugin"))
	env.Setenv(carriedVariable, filepath.Join(dir, "none"))
	env.Setenv("CARRIED", dir)
	return err
}

// pluginProgram is the program that runs plugins.
func pluginProgram() (string, error) {
	dir, err := pluginsMade()
	return filepath.Join(dir, "wr-plugin"), err
}

// pluginsMade is a directory with all of that, made once. The program is built as wr
// is: static and without the race detector.
var pluginsMade = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wr-plugin")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "wr-plugin"), "../../../host/plugin/sandbox/wr-plugin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return dir, errors.Join(build.Run(), carry(dir, "old", "1.0.0", "git"), carry(dir, "new", "1.1.0", "git", "cache"))
})

// carry packs a plugin that asks for something.
func carry(dir, name, version string, asks ...string) error {
	section := fmt.Sprintf(`{"abi":"wr/1","name":"deps","version":%q,"kind":"rpc","description":"a plugin of tests","provides":{"discover":true},"capabilities":[`, version)
	for i, capability := range asks {
		if i > 0 {
			section += ","
		}
		section += fmt.Sprintf(`{"name":%q,"reason":"a test wants it"}`, capability)
	}
	data, err := module.WithManifest(moduletest.Hello(version).Bytes(), []byte(section+"]}"))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, name+".wasm")
	out := filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(file, data, 0o600), os.Mkdir(out, 0o755)); err != nil {
		return err
	}
	return builtin.Pack(out, []string{file})
}
