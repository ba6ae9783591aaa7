package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/semver"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// The shapes of names. They are what image references, hosts and shells take.
// Each is compiled when a file first has something of that shape.
var (
	nameShape     = shape(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	registryShape = shape(`^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)
	variableShape = shape(`^[A-Za-z_][A-Za-z0-9_]*$`)
	suiteShape    = shape(`^[a-z0-9][a-z0-9./-]*$`)
	packageShape  = shape(`^[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?(=[A-Za-z0-9.+:~-]+)?$`)
	referencePart = shape(`^[a-z0-9][a-z0-9._:/@-]*$`)
	finishedShape = shape(`^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$`)
	pluginShape   = shape(`^[a-z][a-z0-9-]{0,63}$`)
	sourceShape   = shape(`^https://[a-z0-9.-]+(:[0-9]+)?/(.*/)?$`)
	builderShape  = shape(`^@?[A-Za-z0-9_][A-Za-z0-9_.@+-]*\$?$`)
)

func shape(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// check notes values that have the right type and still make no sense.
func check(d *decoder, f *File) {
	if f.Workspace != nil {
		d.checkWorkspace(f.Workspace)
	}
	if f.Project != nil {
		d.checkProject(f.Project)
	}
	d.checkImage("image", f.Image)
	d.checkImages(f.Images, f.Workspace != nil)
	d.checkTest(f.Test)
	d.checkEnv(f.Env)
	d.checkTasks(f.Tasks)
	d.checkSuites(f.Suites)
	d.checkLinters(f.Lint)
	d.checkLimits("limits", f.Limits, "which sets no limit; leave %s out for the default")
	d.checkRights(f.Rights)
	d.checkPolicy(f.Policy, f.Workspace != nil)
	d.checkBases(f.Bases, f.Workspace != nil)
	d.checkPlugins(f.Plugins)
}

func (d *decoder) checkWorkspace(w *Workspace) {
	d.shape("workspace.name", w.Name, nameShape, "letters, digits and . _ -")
	d.shape("workspace.registry", w.Registry, registryShape, "a host and a path in lower case, such as ghcr.io/acme")
	for i, glob := range w.Exclude {
		d.checkGlob(element("workspace.exclude", i), glob)
	}
}

func (d *decoder) checkProject(p *Project) {
	d.shape("project.name", p.Name, nameShape, "letters, digits and . _ -")
	if d.given("project.version") && !isSemver(p.Version) {
		d.refuse("project.version", "%q is not a semantic version such as 1.4.0", p.Version)
	}
	for i, need := range p.Needs {
		d.filled(element("project.needs", i), need)
	}
}

// checkImage checks what the table at says of an image.
func (d *decoder) checkImage(at string, i Image) {
	d.inside(join(at, "dockerfile"), i.Dockerfile)
	d.filled(join(at, "target"), i.Target)
	d.filled(join(at, "user"), i.User)
	d.shape(join(at, "ref"), i.Ref, finishedShape, "an image reference such as ghcr.io/acme/tools:1.4")
	d.filled(join(at, "from"), i.From)
	d.checkOneSource(at)
	if i.PytestPlugin && i.Ref+i.From != "" {
		d.refuse(join(at, "pytest_plugin"), "it is added to images that are built, and this one is not; say so where it is")
	}
	d.checkVariables(join(at, "args"), i.Args)
}

// checkOneSource refuses more than one answer to where the image comes from.
func (d *decoder) checkOneSource(at string) {
	var given []string
	for _, key := range []string{"ref", "from", "dockerfile"} {
		if d.given(join(at, key)) {
			given = append(given, key)
		}
	}
	if len(given) > 1 {
		d.refuse(join(at, given[0]), "there is also %s; keep one of the two", given[1])
	}
}

func (d *decoder) checkImages(images map[string]Image, inRoot bool) {
	if len(images) > 0 && !inRoot {
		d.refuse("images", "images belong in the %s that holds [workspace]", Name)
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		at := join("images", name)
		d.shape(at, name, nameShape, "letters, digits and . _ -")
		d.checkImage(at, images[name])
	}
}

func (d *decoder) checkPolicy(p Policy, inRoot bool) {
	if d.lines["policy"] > 0 && !inRoot {
		d.refuse("policy", "policy belongs in the %s that holds [workspace]", Name)
	}
	for i, name := range p.Builders {
		d.shape(element("policy.builders", i), name, builderShape, "the name of a user, or @ and that of a group")
	}
	for i, kind := range p.Rights {
		if at := element("policy.rights", i); d.given(at) && !slices.Contains(rightKinds, kind) {
			d.notOne(at, kind, rightKinds, "is no kind of rights")
		}
	}
	d.checkPluginPolicy("policy.plugins", p.Plugins)
	d.filled("policy.owner", p.Owner)
}

func (d *decoder) checkTest(t Test) {
	for i, path := range t.Paths {
		d.inside(element("test.paths", i), path)
	}
	if d.given("test.none") && strings.TrimSpace(t.None) == "" {
		d.refuse("test.none", "the reason is empty; say why the project has no tests")
	}
	if d.given("test.none") && d.given("test.paths") {
		d.refuse("test.none", "there are tests in paths; keep one of the two")
	}
	if d.given("test.command") && (len(t.Command) == 0 || t.Command[0] == "") {
		d.refuse("test.command", "the command is empty")
	}
}

func (d *decoder) checkEnv(e Env) {
	for i, name := range e.Allow {
		d.shape(element("env.allow", i), name, variableShape, "letters, digits and _")
	}
	d.checkVariables("env.set", e.Set)
}

// checkVariables checks the names and values of variables.
func (d *decoder) checkVariables(at string, values map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !variableShape().MatchString(name) {
			d.refuse(join(at, name), "%q is not a name of letters, digits and _", name)
		}
		if strings.ContainsRune(values[name], 0) {
			d.refuse(join(at, name), "the value holds a NUL byte")
		}
	}
}

func (d *decoder) checkBases(bases map[string]Base, inRoot bool) {
	if len(bases) > 0 && !inRoot {
		d.refuse("bases", "bases belong in the %s that holds [workspace]", Name)
	}
	for _, name := range slices.Sorted(maps.Keys(bases)) {
		at, base := join("bases", name), bases[name]
		if !referencePart().MatchString(name) {
			d.refuse(at, "%q is not an image reference such as acme/python", name)
		}
		if d.given(at) && base.Suite == "" && !d.bad[join(at, "suite")] {
			d.refuse(at, "suite is missing, such as suite = \"bookworm\"")
		}
		d.shape(join(at, "suite"), base.Suite, suiteShape, "the name of a release, such as bookworm")
		for i, name := range base.Include {
			d.shape(element(join(at, "include"), i), name, packageShape, "the name of a package")
		}
		d.filled(join(at, "mirror"), base.Mirror)
	}
}

// given reports whether the file has at and nothing wrong was found in it.
func (d *decoder) given(at string) bool { return d.lines[at] > 0 && !d.bad[at] }

// refuse notes a value that makes no sense.
func (d *decoder) refuse(at, format string, args ...any) {
	d.mistake(at, fault.Error{
		Code:    "config.bad_value",
		Message: d.label(at) + ": " + fmt.Sprintf(format, args...),
	})
}

// filled refuses an empty text.
func (d *decoder) filled(at, text string) {
	if d.given(at) && strings.TrimSpace(text) == "" {
		d.refuse(at, "is empty")
	}
}

// shape refuses a text that does not match.
func (d *decoder) shape(at, text string, shape func() *regexp.Regexp, words string) {
	if d.given(at) && !shape().MatchString(text) {
		d.refuse(at, "%q is not %s", text, words)
	}
}

// inside refuses a path that is absolute or leaves its directory.
func (d *decoder) inside(at, path string) {
	if d.given(at) && (!filepath.IsLocal(path) || strings.ContainsRune(path, 0)) {
		d.refuse(at, "%q is not a relative path that stays inside", path)
	}
}

// isSemver reports whether version has all three numbers of a semantic version.
func isSemver(version string) bool {
	core, _, _ := strings.Cut(version, "+")
	core, _, _ = strings.Cut(core, "-")
	return semver.IsValid("v"+version) && strings.Count(core, ".") == 2
}
