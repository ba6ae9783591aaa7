// Package state is what wr keeps in a workspace: the folder .wr, which git
// ignores, and the folders in it. All is made through open directories, so that
// root, who works for someone else under sudo, is not led out of the workspace.
package state

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
)

const (
	name       = spec.State
	ignoreFile = ".gitignore"
)

// Path is the host path of the state of the workspace at root.
func Path(root string) string { return filepath.Join(root, name) }

// Open opens the state of the workspace at root, made unless it is there. What
// is made in it belongs to owner. The caller closes it.
func Open(root string, owner spec.Owner) (Folder, error) {
	workspace, err := Root(root, owner)
	if err != nil {
		return Folder{}, err
	}
	defer workspace.Close()
	f, err := workspace.Enter(name)
	if err != nil {
		return Folder{}, err
	}
	if err := f.Write(ignoreFile, []byte("*\n")); err != nil && !errors.Is(err, fs.ErrExist) {
		return Folder{}, errors.Join(err, f.Close())
	}
	return f, nil
}

// Root opens the workspace at root itself, for files of wr's that are committed.
// What is made in it belongs to owner. The caller closes it.
func Root(root string, owner spec.Owner) (Folder, error) {
	r, err := os.OpenRoot(root)
	return Folder{r, owner}, err
}

// Name is the path of a project as the name of one folder. No two projects
// share one. It holds no colon, which parts the directories of PYTHONPATH.
func Name(project string) string {
	if project == "." || project == "" {
		return "+" // no project path starts with a slash
	}
	return strings.NewReplacer("%", "%25", "+", "%2B", ":", "%3A", "/", "+").Replace(project)
}

// Random is a name that nobody has chosen yet, in hexadecimal digits.
func Random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
