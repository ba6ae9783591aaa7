package cli

import (
	"bytes"
	"embed"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
)

// inside are the scripts by which shells and notebooks start in a container.
//
//go:embed all:inside
var inside embed.FS

const (
	shellFolder   = "shell"                    // of a project's private folders
	insideTarget  = spec.Internal + "/shell"   // where it is in its container
	insidePytest  = insideTarget + "/pytest"   // wr's plugin, for those who run pytest themselves
	startShell    = insideTarget + "/start"    // [STRING]
	startNotebook = insideTarget + "/notebook" // PORT
	localStage    = "local"                    // of all images that are built here
)

// ownMount brings the folder of a project's shells, with their history and
// scripts, and with wr's pytest plugin, into c. It outlives containers, and all
// that are not for tests have it.
func (a *app) ownMount(c spec.Container) spec.Mount {
	return spec.Mount{Source: a.privatePath(c, shellFolder), Target: insideTarget, Owned: true}
}

// makeOwn makes the folder of ownMount unless it is there and writes what is in
// it as this wr has it.
func (a *app) makeOwn(e entered) error {
	own, err := a.private(e.Container, shellFolder)
	if err != nil {
		return err
	}
	defer own.Close()
	if err := errors.Join(writeInside(own, "inside"), writePytest(own, e)); err != nil {
		return notKept(a.privatePath(e.Container, shellFolder), err)
	}
	return nil
}

// withPytest is what a process of c has in env, with the plugin of insidePytest.
func withPytest(c spec.Container, env []string) []string {
	return slices.Concat(env, testrun.InsideEnv(insidePytest, slices.Concat(c.Env, env)))
}

// writePytest writes the folder of insidePytest.
func writePytest(own state.Folder, e entered) error {
	files, err := testrun.Inside(e.Project.Path, placesOf(e.ws, e.Project), plan.ContainerPaths(e.ws.NestedIn(e.Project)), plan.AllSuites(suite.Of(e.ws, e.Project)))
	for name, content := range files {
		err = errors.Join(err, writeBelow(own, path.Join(path.Base(insidePytest), name), content))
	}
	return err
}

// noPlace is where cases without a mark belong, in the image of an entry of [images]:
// it has tests of all projects. People read it, and nobody looks it up.
const noPlace = "their project"

// placesOf says where cases belong, as far as that can be said without them.
func placesOf(ws *workspace.Workspace, p workspace.Project) plan.Places {
	where := plan.Places{Default: p.Path, Names: ws.Names()}
	if p.Entry {
		where.Default = noPlace
		return where
	}
	if home, err := place.Home(ws, p); err == nil { // wr test says what is wrong
		where.Default = home.Path
	}
	return where
}

// ownLayer is what wr adds to the image of p: its pytest plugin, if p asks for it.
func ownLayer(ws *workspace.Workspace, p workspace.Project) (*spec.Layer, error) {
	if !p.Config.Image.PytestPlugin {
		return nil, nil
	}
	return testrun.InImage(p.Path, placesOf(ws, p), ws.NestedIn(p), plan.AllSuites(suite.Of(ws, p)))
}

// writeBelow writes a file that differs, and makes the folders above it.
func writeBelow(f state.Folder, name string, content []byte) error {
	folder, rest, deeper := strings.Cut(name, "/")
	if !deeper {
		return writeChanged(f, name, content)
	}
	below, err := f.Enter(folder)
	if err != nil {
		return err
	}
	return errors.Join(writeBelow(below, rest, content), below.Close())
}

// writeInside writes what lies in dir of the scripts into f, where it differs.
// Processes of the container can write there as well.
func writeInside(f state.Folder, dir string) error {
	entries, err := inside.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from := path.Join(dir, e.Name())
		if e.IsDir() {
			err = writeInsideBelow(f, e.Name(), from)
		} else {
			err = writeScript(f, e.Name(), from)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func writeInsideBelow(f state.Folder, name, from string) error {
	below, err := f.Enter(name)
	if err != nil {
		return err
	}
	return errors.Join(writeInside(below, from), below.Close())
}

func writeScript(f state.Folder, name, from string) error {
	want, err := inside.ReadFile(from)
	if err != nil {
		return err
	}
	return writeChanged(f, name, want)
}

// writeChanged writes a file unless it is as wanted.
func writeChanged(f state.Folder, name string, want []byte) error {
	if got, err := f.ReadFile(name); err == nil && bytes.Equal(got, want) {
		return nil
	}
	return f.Replace(name, func(file *os.File) error {
		_, err := file.Write(want)
		return err
	})
}

// localeNames are the variables that say in which language programs speak.
var localeNames = []string{
	"LANG", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
}

// shellEnv is what a shell in c has besides: the caller's language, where the
// project does not decide it, and what its prompt says. Inside, the start script
// takes out what the image does not know.
func (a *app) shellEnv(c spec.Container, name string) []string {
	env := []string{"WR_STAGE=" + localStage, "WR_PROMPT=" + name + ":" + localStage}
	if !a.colored(a.Out) {
		env = append(env, "NO_COLOR=1")
	}
	for _, variable := range localeNames {
		value := a.Getenv(variable)
		// Why not C: it is no language but the lack of one.
		if value != "" && value != "C" && value != "POSIX" && !sets(c.Env, variable) {
			env = append(env, variable+"="+value)
		}
	}
	return env
}

// sets tells whether env has a variable.
func sets(env []string, name string) bool {
	for _, kv := range env {
		if strings.HasPrefix(kv, name+"=") {
			return true
		}
	}
	return false
}

// promptName is what a prompt calls p: the root project has the name of its
// workspace, since "." says nothing.
func promptName(ws *workspace.Workspace, p workspace.Project) string {
	if p.Path == "." {
		return ws.Name
	}
	return p.Path
}
