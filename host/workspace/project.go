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

// Project is one runnable directory. What is asked of a project's image and
// container is asked of an entry of [images] as well, so that such an entry is
// described in the same way, and kept apart: Workspace.Images, not Projects.
type Project struct {
	Path       string       `json:"path"`                 // workspace path, "." for the root; of an entry its name, which no project has
	Name       string       `json:"name"`                 // from its config, else the last part of its path
	Dir        string       `json:"dir"`                  // host path
	Dockerfile string       `json:"dockerfile,omitempty"` // relative to Dir, slash-separated; "" when there is none
	Config     *config.File `json:"-"`                    // never nil
	Fault      *fault.Error `json:"fault,omitempty"`      // why nothing can be done with it; nil when it is fine
	Entry      bool         `json:"-"`                    // of [images]: it has an image, the root as its directory, and no tests
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
	p.findDockerfile()
	return p
}

// findDockerfile looks for p's Dockerfile. One that is named and does not exist
// is a fault; where none is named, whoever needs the image says so.
func (p *Project) findDockerfile() {
	if isFile(filepath.Join(p.Dir, filepath.FromSlash(p.Config.Image.Dockerfile))) {
		p.Dockerfile = p.Config.Image.Dockerfile
	} else if p.Fault == nil && p.Config.Line("image.dockerfile") > 0 {
		p.Fault = p.noDockerfile("image.dockerfile")
	}
}

// Folder is the workspace path of the directory whose project or image it is.
func (p Project) Folder() string {
	if p.Entry {
		return "."
	}
	return p.Path
}

// called reports whether the project, or for the root the workspace, gives
// itself this name.
func (p Project) called(name string) bool {
	given := p.Path == "." || p.Config != nil && p.Config.Project != nil && p.Config.Project.Name != ""
	return given && p.Name == name
}

// ConfigFile is the workspace path of the wr.toml that says what p is.
func (p Project) ConfigFile() string { return path.Join(p.Folder(), config.Name) }

// noDockerfile is the fault of a Dockerfile that does not exist, because of what
// the file says under key.
func (p Project) noDockerfile(key string) *fault.Error {
	return &fault.Error{
		Code: "project.no_dockerfile", Class: fault.Usage,
		Message: "there is no file " + path.Join(p.Folder(), p.Config.Image.Dockerfile),
		File:    p.ConfigFile(), Line: p.Config.First(key),
		Next: "write it, or name another as dockerfile there",
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
