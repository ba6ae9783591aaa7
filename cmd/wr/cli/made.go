package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// imageStage is the stage whose images wr builds.
const imageStage = "dev"

// made are the Dockerfiles that plugins make for those of the projects that have
// none, by path. A project that has one needs no other, and no plugin is asked.
func (a *app) made(ctx context.Context, ws *workspace.Workspace, projects []workspace.Project) (map[string]source, error) {
	all := map[string]source{}
	var without []workspace.Project
	for _, p := range projects {
		if p.Fault == nil && p.Dockerfile == "" && !p.Entry {
			without = append(without, p)
		}
	}
	if len(without) == 0 {
		return all, nil
	}
	plugins, err := a.consult(ctx, ws)
	if err != nil {
		return nil, err
	}
	defer plugins.Close(ctx)
	for _, p := range without {
		if from, some := plugins.dockerfile(ctx, p); some {
			all[p.Path] = from
		}
	}
	return all, nil
}

func makesImages(provides abi.Provides) bool { return provides.Image }

// dockerfile asks the plugin that makes the Dockerfile of a project, if there is one.
func (c *consultation) dockerfile(ctx context.Context, p workspace.Project) (source, bool) {
	plugins, faults := c.of(p, makesImages)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		return source{err: faults[name]}, true
	}
	if len(plugins) == 0 {
		return source{}, false
	}
	first := plugins[0]
	if len(plugins) > 1 && plugins[1].settings.Priority == first.settings.Priority {
		return source{err: &fault.Error{
			Code: "image.two_plugins", Class: fault.Usage, Message: fmt.Sprintf("%s has no Dockerfile, and both %s and %s make one", p.Path, first.name(), plugins[1].name()),
			File: p.ConfigFile(), Next: "turn one off there: [plugins." + plugins[1].name() + "] enabled = false; or give one a higher priority",
		}}, true
	}
	plugin, err := c.plugin(first)
	if err != nil {
		return source{err: err}, true
	}
	said, err := plugin.Image(ctx, abi.ImageParams{Work: abi.Work{Project: p.Path}, Stage: imageStage})
	if err != nil {
		return source{err: err}, true
	}
	made := &plan.Dockerfile{Plugin: first.name(), Text: said.Dockerfile}
	if made.Ignore, err = ignoring(p.Dir, said.Inputs); err != nil {
		return source{err: err}, true
	}
	from := source{data: []byte(said.Dockerfile), made: made}
	from.recipe, from.err = image.Recipe(spec.Dockerfile{
		Path: path.Join(p.Folder(), made.Name()), Data: from.data, Target: p.Config.Image.Target, Args: p.Config.Image.Args,
	})
	return from, true
}

// ignoring are the lines of a .dockerignore by which the context is what inputs name,
// less what the project's own leaves out; nil = there are no inputs, and the project's
// own says it all.
func ignoring(dir string, inputs []string) ([]string, error) {
	if inputs == nil {
		return nil, nil
	}
	own, err := os.ReadFile(filepath.Join(dir, ".dockerignore"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	lines := []string{"**"}
	for _, glob := range inputs {
		lines = append(lines, "!"+glob)
	}
	return append(lines, strings.Split(strings.TrimRight(string(own), "\n"), "\n")...), nil
}

// printedDockerfile is one document of `wr build --print --json`.
type printedDockerfile struct {
	Project string   `json:"project"`
	File    string   `json:"file,omitempty"`   // workspace path; "" = a plugin makes it
	Plugin  string   `json:"plugin,omitempty"` // that makes it
	Ignore  []string `json:"ignore,omitempty"` // lines of the .dockerignore that goes with it
	Text    string   `json:"text"`
}

// printDockerfiles prints what the images of projects are built from.
func (a *app) printDockerfiles(o *opened) error {
	var all []printedDockerfile
	for _, p := range makers(o.ws, o.projects) {
		from := o.sources.all[p.Path]
		if err := firstError(faulty(p), from.err); err != nil {
			return err
		}
		one := printedDockerfile{Project: p.Path, Text: string(from.data)}
		if from.made != nil {
			one.Plugin, one.Ignore = from.made.Plugin, from.made.Ignore
		} else {
			one.File = path.Join(p.Folder(), p.Dockerfile)
		}
		all = append(all, one)
	}
	if a.JSON {
		return a.printJSON(orEmpty(all))
	}
	for i, one := range all {
		if len(all) > 1 {
			fmt.Fprintf(a.Out, "%s# %s\n", strings.Repeat("\n", min(i, 1)), one.Project)
		}
		fmt.Fprintln(a.Out, strings.TrimRight(one.Text, "\n"))
	}
	return nil
}

// faulty is why nothing can be done with a project.
func faulty(p workspace.Project) error {
	if p.Fault != nil {
		return p.Fault
	}
	return nil
}
