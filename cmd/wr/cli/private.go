package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// privateFolder holds, among wr's caches, a folder for each project and caller.
const privateFolder = "projects"

// privatePath is the host path of a folder that wr keeps for c's project and
// caller. Why it is none of the workspace: containers of all projects see that,
// with its .wr.
func (a *app) privatePath(c spec.Container, name string) string {
	of := sha256.Sum256(fmt.Appendf(nil, "%d\x00%s\x00%s", c.Caller.UID, c.Labels["wr.workspace"], c.Labels["wr.project"]))
	return filepath.Join(followed(a.cacheDir()), privateFolder, hex.EncodeToString(of[:16]), name)
}

// private opens the folder of privatePath, made unless it is there. No other
// user of this machine looks into it. The caller closes it.
func (a *app) private(c spec.Container, name string) (state.Folder, error) {
	at := a.privatePath(c, name)
	f, err := openPrivate(at, c.Caller)
	if err != nil {
		return state.Folder{}, notKept(at, err)
	}
	return f, nil
}

// openPrivate opens the folder at, the second one below that of all projects.
func openPrivate(at string, owner spec.Owner) (state.Folder, error) {
	if !filepath.IsAbs(at) { // neither HOME nor XDG_CACHE_HOME is set
		return state.Folder{}, fs.ErrInvalid
	}
	project := filepath.Dir(at)
	if err := os.MkdirAll(filepath.Dir(project), 0o700); err != nil {
		return state.Folder{}, err
	}
	all, err := state.Root(filepath.Dir(project), owner)
	if err != nil {
		return state.Folder{}, err
	}
	defer all.Close()
	if err := all.Chmod(".", 0o700); err != nil {
		return state.Folder{}, err
	}
	own, err := all.Private(filepath.Base(project))
	if err != nil {
		return state.Folder{}, err
	}
	f, err := own.Private(filepath.Base(at))
	return f, errors.Join(err, own.Close())
}

// notKept is a private folder that cannot be used.
func notKept(at string, err error) error {
	return cmp.Or(fault.Disk(err, at), &fault.Error{
		Code: "project.no_folder", Message: fmt.Sprintf("cannot keep anything of the project in %s: %v", at, err), Err: err,
		Next: "set XDG_CACHE_HOME to an absolute path that you may write to",
	})
}

// followed is where a path leads, of which the end may not be there yet.
func followed(path string) string {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		return real
	}
	if above := filepath.Dir(path); above != path && errors.Is(err, fs.ErrNotExist) {
		return filepath.Join(followed(above), filepath.Base(path))
	}
	return path
}
