package scaffold

import (
	"embed"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/wr-build/wr/host/workspace"
)

//go:embed templates
var templates embed.FS

// values is what the templates know.
type values struct {
	Name       string   // of the workspace or project
	Path       string   // of the project, as typed after `wr test`
	Base       string   // reference of the base image
	Include    []string // packages of the base image to declare; none = do not declare it
	Version    string   // of the project
	Dockerfile string   // existing Dockerfile of the project
	Tests      string   // directory with tests
	NoTests    bool     // there are none
	Deps       string   // file that names dependencies
	Package    string   // Python package
}

// render fills in the template called name.
func render(name string, v any) (string, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, v)
	return b.String(), err
}

// Options is what a user may choose.
type Options struct {
	Base string // image reference for FROM; "" = one with pytest that the workspace declares
	Name string // name of the workspace, when its wr.toml has to be written; "" = the directory's
}

// NewCommand is what to type for a project that starts from the same base. It
// says the base, or wr new would take one that the workspace declares.
func (o Options) NewCommand() string {
	if o.Base == "" {
		return "wr new DIR"
	}
	return "wr new DIR --base " + o.Base
}

// notReference matches what an image reference does not hold.
var notReference = regexp.MustCompile(`[^a-z0-9]+`)

// notName matches what a workspace name does not hold.
var notName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// workspaceName makes a name that wr.toml takes.
func workspaceName(text string) string {
	name := strings.Trim(notName.ReplaceAllString(text, "-"), "-._")
	if name == "" {
		return "workspace"
	}
	return name
}

// base chooses the image that new Dockerfiles start from. It is declared when
// the workspace has one with pytest already.
func base(ws *workspace.Workspace, name string) (ref string, declared bool) {
	var refs []string
	for ref, b := range ws.Config.Bases {
		if slices.ContainsFunc(b.Include, func(p string) bool { return strings.Contains(p, "pytest") }) {
			refs = append(refs, ref)
		}
	}
	if len(refs) > 0 {
		return slices.Min(refs), true
	}
	prefix := strings.Trim(notReference.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if prefix == "" {
		prefix = "wr"
	}
	return prefix + "/python", false
}
