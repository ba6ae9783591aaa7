package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
)

// configShowCmd is `wr config show`.
type configShowCmd struct {
	Origin  bool   `help:"Also say where each value comes from."`
	Project string `arg:"" predictor:"project" optional:"" help:"The project; default: the nearest one above, if there is one."`
}

// Help is the long form.
func (configShowCmd) Help() string {
	return "Besides wr.toml, a person's own files count: $XDG_CONFIG_HOME/wr/config.toml, and wr.local.toml beside the root's wr.toml, which git must ignore. They set mounts, names of variables, ports, limits and mirrors, are left out where CI is set, and are recorded with each run."
}

// Read prints what counts here.
func (c *configShowCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return err
	}
	all, err := c.ofProject(a, ws)
	if err != nil {
		return err
	}
	mine, err := a.personal(ctx, ws)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s config.Setting) bool { return replaced(s, mine) })
	all = append(all, mine.Settings...)
	if a.JSON {
		return a.printJSON(orEmpty(all))
	}
	header, rows := []string{"KEY", "VALUE"}, [][]string{}
	if c.Origin {
		header = append(header, "ORIGIN")
	}
	for _, s := range all {
		value, err := json.Marshal(s.Value)
		if err != nil {
			return err
		}
		rows = append(rows, append([]string{s.Key, string(value)}, origin(s)...)[:len(header)])
	}
	return ui.Table(a.Out, header, rows)
}

// origin is where a setting comes from.
func origin(s config.Setting) []string {
	if s.File == "" {
		return []string{"default"}
	}
	return []string{fmt.Sprintf("%s:%d", s.File, s.Line)}
}

// replaced reports whether a limit of a person's own counts in place of s. All
// else that a person sets is besides what wr.toml says.
func replaced(s config.Setting, mine config.Personal) bool {
	return strings.HasPrefix(s.Key, "limits.") && slices.ContainsFunc(mine.Settings, func(own config.Setting) bool { return own.Key == s.Key })
}

// ofProject lists what wr.toml says of the project, after what the root's says
// of all.
func (c *configShowCmd) ofProject(a *app, ws *workspace.Workspace) ([]config.Setting, error) {
	root := ws.Config.Settings(config.Name)
	if _, err := ws.Here(); c.Project == "" && err != nil {
		return root, nil //nolint:nilerr // between projects, the workspace's settings are all there is
	}
	p, err := a.project(ws, c.Project)
	if err != nil || p.Path == "." {
		return root, err
	}
	shared := slices.DeleteFunc(root, func(s config.Setting) bool {
		table, _, _ := strings.Cut(s.Key, ".")
		return !slices.Contains([]string{"workspace", "bases", "images", "tasks"}, table)
	})
	return append(shared, p.Config.Settings(path.Join(p.Path, config.Name))...), nil
}
