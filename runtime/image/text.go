package image

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	buildkit "github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"

	"github.com/wr-build/wr/runtime/spec"
)

// textName is what a Dockerfile is called to BuildKit that is no file of the context.
const textName = "Dockerfile"

// lend has BuildKit read the Dockerfile and what is to be ignored from a directory of
// their own, until forget is called: nothing is written into anybody's tree.
func lend(build spec.Build, options buildkit.SolveOpt) (forget func(), err error) {
	dir, err := os.MkdirTemp("", "wr-dockerfile-")
	if err != nil {
		return nil, err
	}
	forget = func() { _ = os.RemoveAll(dir) }
	err = os.WriteFile(filepath.Join(dir, textName), []byte(build.Text), 0o600)
	if build.Ignore != nil {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, textName+".dockerignore"), []byte(strings.Join(build.Ignore, "\n")+"\n"), 0o600))
	}
	var tree fsutil.FS
	if err == nil {
		tree, err = fsutil.NewFS(dir)
	}
	if err != nil {
		forget()
		return nil, err
	}
	options.LocalMounts["dockerfile"] = tree
	options.FrontendAttrs["filename"] = textName
	return forget, nil
}
