package workspace

import (
	"cmp"
	"errors"
	"path"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// devops is the folder that makes a directory a project.
const devops = "devops"

// Project is one runnable directory.
type Project struct {
	Path       string       `json:"path"`                 // workspace path; "." for the root
	Name       string       `json:"name"`                 // from its config, else the last part of its path
	Dir        string       `json:"dir"`                  // host path
	Dockerfile string       `json:"dockerfile,omitempty"` // relative to Dir, slash-separated; "" when there is none
	Config     *config.File `json:"-"`                    // never nil
	Fault      *fault.Error `json:"fault,omitempty"`      // why nothing can be done with it; nil when it is fine
}

// newProject describes the project in the directory d of the workspace at root.
func newProject(root string, d Dir) Project {
	p := Project{
		Path: d.Path, Dir: filepath.Join(root, filepath.FromSlash(d.Path)),
		Config: cmp.Or(d.Config, config.Default()),
	}
	if p.Config.Project != nil {
		p.Name = p.Config.Project.Name
	}
	if p.Name == "" && p.Path != "." {
		p.Name = path.Base(p.Path)
	}
	problems, _ := errors.AsType[config.Errors](d.ConfigErr)
	p.Fault = problems.Fault()
	if isFile(filepath.Join(p.Dir, filepath.FromSlash(p.Config.Image.Dockerfile))) {
		p.Dockerfile = p.Config.Image.Dockerfile
	} else if p.Fault == nil {
		p.Fault = p.missingDockerfile()
	}
	return p
}

// called reports whether the project, or for the root the workspace, gives
// itself this name.
func (p Project) called(name string) bool {
	given := p.Path == "." || p.Config != nil && p.Config.Project != nil && p.Config.Project.Name != ""
	return given && p.Name == name
}

// ConfigFile is the workspace path of the project's wr.toml.
func (p Project) ConfigFile() string { return path.Join(p.Path, config.Name) }

// missingDockerfile is the fault of a project that names a Dockerfile which
// does not exist. A project that names none has no fault here: whoever needs
// its image says so.
func (p Project) missingDockerfile() *fault.Error {
	line := p.Config.Line("image.dockerfile")
	if line == 0 {
		return nil
	}
	return &fault.Error{
		Code: "project.no_dockerfile", Class: fault.Usage,
		Message: "there is no file " + path.Join(p.Path, p.Config.Image.Dockerfile),
		File:    p.ConfigFile(), Line: line,
		Next: "write it, or name another in [image] dockerfile",
	}
}

// comparePaths orders workspace paths so that a directory comes right before
// what lies in it.
func comparePaths(a, b string) int {
	key := func(p string) string {
		if p == "." {
			return ""
		}
		return strings.ReplaceAll(p, "/", "\x00")
	}
	return cmp.Compare(key(a), key(b))
}

// within reports whether the workspace path p is dir or lies below it.
func within(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}
