package cli

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// whyCmd is `wr why [TEST]`.
type whyCmd struct {
	Test string `arg:"" predictor:"project" optional:"" name:"test" help:"A project, a test file or a node id, as for wr test; default: all that a run had."`
	Run  string `predictor:"run" placeholder:"RUN" default:"latest" help:"Of which run, as for wr report. Default: the latest."`
}

// Help is the long form.
func (whyCmd) Help() string {
	return "With a cache (wr test --cache), tests run only where something is different from when they passed and were kept: which file, or else that the image, the command or the environment is. And it says why what they gave is not kept, where that is so. Tests of a project that run in one container are kept together, see docs/tests.md."
}

// because is why the tests of a unit ran, or did not.
type because struct {
	Project string `json:"project"`        // as events name the unit
	Ran     bool   `json:"ran"`            //
	From    string `json:"from,omitempty"` // run in which they ran, if not in this one
	Why     string `json:"why"`            //
	Kept    string `json:"kept,omitempty"` // why what they gave is not kept; "" = it is, or nobody asked
}

// Read prints why.
func (c *whyCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return err
	}
	dir, err := testrun.Find(ws.Root, c.Run)
	if err != nil {
		return err
	}
	defer dir.Close()
	r, err := dir.Load()
	if err != nil {
		return err
	}
	all := []because{}
	wanted := c.path(ws, a.dir)
	for _, p := range r.Projects {
		if wanted == "" || concerns(p, wanted) {
			all = append(all, reasonOf(p))
		}
	}
	if len(all) == 0 {
		return &fault.Error{
			Code: "why.unknown", Class: fault.Usage, Message: fmt.Sprintf("run %s had no project, test file or case called %s", r.ID, c.Test),
			Hint: fault.Closest(wanted, names(r)), Next: "wr why, for all that it had",
		}
	}
	if a.JSON {
		return a.printJSON(all)
	}
	var rows [][]string
	for _, b := range all {
		rows = append(rows, []string{b.Project, b.how(), b.text()})
	}
	return ui.Table(a.Out, []string{"PROJECT", r.ID, "WHY"}, rows)
}

// path is the workspace path of what is asked for, with the case behind it; "" = all.
func (c *whyCmd) path(ws *workspace.Workspace, from string) string {
	if c.Test == "" {
		return ""
	}
	file, id, found := strings.Cut(c.Test, "::")
	if !filepath.IsAbs(file) {
		file = filepath.Join(from, file)
	}
	rel, err := filepath.Rel(ws.Root, file)
	if err != nil || !filepath.IsLocal(rel) {
		rel = c.Test
	}
	rel = filepath.ToSlash(rel)
	if found {
		rel += "::" + id
	}
	return rel
}

// concerns reports whether what is called so is a unit, or is tested in it.
func concerns(p *report.Project, name string) bool {
	if p.Path == name {
		return true
	}
	return slices.ContainsFunc(p.Cases, func(c *report.Case) bool {
		id := path.Join(p.Path, c.ID)
		return c.File == name || id == name || strings.HasPrefix(id, name+"[") || strings.HasPrefix(id, name+"::")
	})
}

// names are what may be asked for of a run.
func names(r *report.Run) []string {
	var all []string
	for _, p := range r.Projects {
		all = append(all, p.Path)
		for _, c := range p.Cases {
			all = append(all, c.File, path.Join(p.Path, c.ID))
		}
	}
	return all
}

func reasonOf(p *report.Project) because {
	b := because{Project: p.Name(), Ran: p.From == "", From: p.From, Kept: p.Unkept}
	switch {
	case p.From != "":
		b.Why = "nothing that it could see is different from " + p.From
	case p.Status == event.None:
		b.Why = "it has no tests, by declaration"
		b.Ran = false
	default:
		b.Why = cmp.Or(p.Missed, "nothing was kept of it")
	}
	return b
}

// how is b in a word.
func (b because) how() string {
	switch {
	case b.From != "":
		return "cached"
	case b.Ran:
		return "ran"
	default:
		return "none"
	}
}

// text is b on a line.
func (b because) text() string {
	if b.Kept == "" {
		return b.Why
	}
	return b.Why + "; not kept: " + b.Kept
}
