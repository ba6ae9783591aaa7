package workspace

import (
	"errors"
	"path/filepath"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Policy is the wr.toml of a workspace's root, whose [policy] bounds what
// projects may have.
type Policy struct {
	File   string // workspace path; of a workspace above, a host path
	Config *config.File
}

// Policies are those that hold for projects of w, its own first. Why not its
// own alone: a project that called itself a workspace would be free of the
// policy that bounds it.
func (w *Workspace) Policies() []Policy {
	return append([]Policy{{File: config.Name, Config: w.Config}}, w.Above...)
}

// policiesAbove reads those of workspaces that root lies in.
func policiesAbove(root string) ([]Policy, error) {
	var all []Policy
	for at := root; at != filepath.Dir(at); {
		at = filepath.Dir(at)
		file, err := loadConfig(at)
		problems, _ := errors.AsType[config.Errors](err)
		isRoot := file != nil && file.Workspace != nil
		if fault.HasCode(err, "config.unreadable") || isRoot && problems.Touches("policy") {
			return nil, err // or a mistake would lift the bounds
		}
		if isRoot {
			all = append(all, Policy{File: filepath.Join(at, config.Name), Config: file})
		}
	}
	return all, nil
}
