package cli

import (
	"context"
	"path/filepath"

	"github.com/wr-build/wr/host/scaffold"
)

// pluginNewCmd is `wr plugin new DIR`.
type pluginNewCmd struct {
	Dir  string `arg:"" help:"Directory of the plugin, by whose name it is called. It must not exist, or be empty."`
	Kind string `enum:"lint,task" default:"lint" help:"What it does: lint or task."`
	Lang string `enum:"go" default:"go" help:"Language that it is written in: go."`
}

// Help is the long form.
func (pluginNewCmd) Help() string {
	return "Writes a linter, or a plugin with a task, with its test and its manifest, and the SDK beside it: it builds without a network. Its README.md says how to build, check and add it. See docs/plugins/tutorial.md and docs/plugins/tasks.md."
}

// Prepare plans the files.
func (c *pluginNewCmd) Prepare(_ context.Context, a *app) (deed, error) {
	p, err := scaffold.Plugin(a.dir, c.Dir, c.Kind)
	if err != nil {
		return deed{}, err
	}
	name := filepath.Base(c.Dir)
	return a.writing(p, func() string {
		return "cd " + c.Dir + " && GOOS=wasip1 GOARCH=wasm go build -o " + name + ".wasm && wr plugin check " + name + ".wasm"
	}), nil
}
