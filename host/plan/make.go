package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/place"
	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Selected is one project to plan for, with what decides its image.
type Selected struct {
	workspace.Project
	Maker      workspace.Project // whose image it uses; zero: its own
	Made       *Dockerfile       // that a plugin has made of the image; nil: a file has it
	Bases      map[string]string // what its bases stand for, as in spec.Build
	Layer      *spec.Layer       // that wr adds to the image; nil: none
	ImageKey   string            // sha256 of the image's inputs, hex
	Ref        string            // full name of an image to use as it is; "" = that of the inputs
	Wanted     string            // full name of the image of its inputs, when Ref takes its place
	Grant      Grant             // what its containers may do besides the usual
	Broken     *fault.Error      // why the image cannot be had
	Refused    *fault.Error      // why its containers cannot be what its [rights] say
	Untestable *fault.Error      // why its tests cannot be run, though the image is fine
	Parts      []place.Part      // of its tests, by containers; nil: all in its own
	Assigned   []place.Assigned  // what plugins say of its tests
	Further    []string          // files with tests that pytest does not find by itself
	Suites     []suite.Suite     // into which its tests are sorted
}

// Options say what to plan.
type Options struct {
	Args       []string            // the user's own arguments for pytest
	Paths      map[string][]string // project path to the files and node ids asked for; none = all
	Suites     suite.Choice        // those that are to run
	AllowEmpty bool                // no tests is no failure
	Coverage   bool                // measure what tests cover
	HostEnv    map[string]string   // variables of the host
	Allow      []string            // names of HostEnv for every project, as the caller has set
	Mounts     []spec.Mount        // for every project, as the caller has set
	Caller     spec.Owner          // whom written files belong to
	NoCache    bool                // build without BuildKit's cache
	Fresh      bool                // run in containers that are used for nothing else
	Debug      Debug               // how a person looks into the tests
	Limits     Limits              // over those of the caller and of the projects
	Own        config.Limits       // over those of the projects, as the caller has set
	NoBuild    bool                // the policy does not let this user build
	Lenders    map[string]Selected // the lenders of Selected.Parts, by path
	Pace       Pace                // how tests are spread
	Cases      CaseLimits          // over those of the suites
	Repetition Repetition          //
	UseLast    bool                // what is missing is to be replaced by the newest image that is here
	Root       string              // container path of the workspace; "" = spec.Workspace

	suite config.Limits // over those of the projects, of the suites that are planned
}

// LimitsOf are the limits that hold for p here.
func (o Options) LimitsOf(p workspace.Project) config.Limits {
	return o.Limits.Over(o.Own.Over(o.suite.Over(p.Config.Limits)))
}

// Builds plans the images of projects.
func Builds(ws *workspace.Workspace, projects []Selected, o Options) Plan {
	p := Plan{Workspace: ws.Name, Root: ws.Root}
	for _, s := range projects {
		p.addBuild(build(ws, s, o))
	}
	return p
}

// addBuild adds the action unless the image is made already, for another
// project that uses it.
func (p *Plan) addBuild(a Action) {
	if !slices.ContainsFunc(p.Actions, func(other Action) bool { return other.ID == a.ID }) {
		p.Actions = append(p.Actions, a)
	}
}

// TestRun plans the images and tests of projects.
func TestRun(ws *workspace.Workspace, projects []Selected, o Options) Plan {
	p := Plan{Workspace: ws.Name, Root: ws.Root}
	projects, o = o.debugged(projects)
	for _, s := range projects {
		for _, part := range s.parts() {
			there := o.asked(s, part)
			if len(there.Paths[s.Path]) > 0 || len(o.Paths[s.Path]) == 0 {
				p.addTest(ws, s, part, there)
			}
		}
	}
	p.Actions = o.Pace.shard(p.Actions)
	return p
}

// parts are the parts of the tests of s: without any, all of them are one.
func (s Selected) parts() []place.Part {
	if len(s.Parts) == 0 {
		return []place.Part{{Lender: s.Project, Default: s.Path}}
	}
	return s.Parts
}

// addTest adds a part of the tests of s and, if there is something to run, the
// build it needs.
func (p *Plan) addTest(ws *workspace.Workspace, s Selected, part place.Part, o Options) {
	lender := s
	if part.Lender.Path != s.Path {
		lender = s.in(o.Lenders[part.Lender.Path])
	}
	for _, a := range testsIn(ws, s, lender, part, o) {
		if a.Test != nil {
			a.Key = key(a.Test, lender.ImageKey)
			b := build(ws, lender, o)
			p.addBuild(b)
			a.Needs = []string{b.ID}
		}
		p.Actions = append(p.Actions, a)
	}
}

// testsIn plans a part of the tests of s in the container of the lender, as one
// action for each way in which its suites run.
func testsIn(ws *workspace.Workspace, s, lender Selected, part place.Part, o Options) []Action {
	var all []Action
	groups := o.groups(s)
	for i, g := range groups {
		o.suite = g.way().Limits
		a := test(ws, s, lender, o)
		if len(groups) > 1 {
			a.Slice = g.name()
		}
		a.ID = string(Test) + ":" + a.Unit().String()
		if a.Test != nil {
			a.Test.Env = append(a.Test.Env, variables(g.way().Env)...)
			a.Test.Suites, a.Test.Places, a.Test.Shards = suites(s, groups, i, o.Cases), o.places(part), int(g.way().Shards)
			a.Test.Assigned, a.Test.Further = o.assigned(s), o.all(s.Further)
			a.Estimate = o.Pace.estimate(a)
			o.Pace.spread(&a, g)
		}
		all = append(all, a)
	}
	return all
}

func (o Options) places(part place.Part) Places {
	return Places{
		Default: part.Default, Names: part.Names,
		Leave: o.all(part.Leave), Take: o.all(part.Take), Mixed: o.all(part.Mixed),
	}
}

// assigned is what plugins say of the tests of s.
func (o Options) assigned(s Selected) []Assigned {
	var all []Assigned
	for _, a := range s.Assigned {
		all = append(all, Assigned{File: o.in(a.File), ID: a.ID, Suite: a.Suite, Container: a.Container, Line: a.Line, Plugin: a.Plugin, At: a.At()})
	}
	return all
}

func build(ws *workspace.Workspace, s Selected, o Options) Action {
	maker := s.maker()
	a := Action{ID: string(Build) + ":" + s.Path, Kind: Build, Project: s.Path, Key: s.ImageKey, Fault: s.Broken}
	if a.Fault != nil {
		return a
	}
	a.ID, a.Project = string(Build)+":"+maker.Path, maker.Path
	a.Build = &spec.Build{
		Project:    maker.Path,
		Folder:     maker.Folder(),
		Ref:        Ref(ws, s),
		Context:    maker.Dir,
		Dockerfile: maker.Dockerfile,
		Target:     maker.Config.Image.Target,
		Args:       maker.Config.Image.Args,
		NoCache:    o.NoCache,
		Bases:      s.Bases,
		Layer:      s.Layer,
		Labels:     map[string]string{"wr.project": maker.Path, "wr.key": s.ImageKey},
	}
	if made := s.Made; made != nil {
		a.Build.Dockerfile, a.Build.Text, a.Build.Ignore = made.Name(), made.Text, made.Ignore
	}
	a.Remote, a.Denied = Remote(ws, s), denied(ws, s, o)
	return a
}

// Ref is the local name of a project's image. It ends with the key of the
// image's inputs, so a name is never reused for other contents.
func Ref(ws *workspace.Workspace, s Selected) string {
	if s.Ref != "" {
		return s.Ref
	}
	return Refs(ws) + s.maker().Slug() + ":" + s.shortKey()
}

// test plans those tests of s that run in the container of the lender, which may
// be s itself. It is the one that the lender's own tests have, so that both can
// use the same.
func test(ws *workspace.Workspace, s, lender Selected, o Options) Action {
	a := Action{
		Kind: Test, Project: s.Path,
		Fault: cmp.Or(lender.Broken, s.Untestable, lender.Refused), Wanted: lender.Wanted,
	}
	if lender.Path != s.Path {
		a.Container = lender.Path
	}
	if a.Fault != nil {
		return a
	}
	if a.None = cmp.Or(s.Config.Test.None, o.without(s)); a.None != "" {
		return a
	}
	a.Test = &Tests{
		Container:  Container(ws, lender.Project, Ref(ws, lender), lender.Config.Test.Network, o),
		Command:    s.Config.Test.Command,
		Args:       arguments(s, o),
		Paths:      s.Config.Test.Paths,
		Dir:        o.in(s.Path),
		AllowEmpty: o.AllowEmpty,
		Coverage:   o.Coverage,
		Timeout:    time.Duration(o.LimitsOf(s.Project).Timeout),
		Repetition: o.Repetition,
		Debug:      o.Debug,
	}
	if lender.Path != s.Path {
		a.Test.Env = []string{"PYTHONPATH=" + o.pythonPath(s.Project, lender.Project)}
	}
	a.Test.Taken = taken(lender.Project, o)
	if !o.Fresh {
		a.Test.Container.Role = spec.RoleTest
	}
	a.Test.Container = lender.Grant.In(lentTo(a.Test.Container, s, lender), false)
	if a.Rights = lender.Grant.Tests(); len(a.Rights) > 0 {
		a.Reason = lender.Config.Rights.Reason
	}
	a.Test.Named = o.Paths[s.Path]
	a.Test.Nested = o.all(ws.NestedIn(s.Project))
	return a
}

// asked is o with those of the paths for s that have a case in the part: pytest
// does not start with the name of a file that it is to leave out.
func (o Options) asked(s Selected, part place.Part) Options {
	o.Paths = map[string][]string{s.Path: slices.DeleteFunc(slices.Clone(o.Paths[s.Path]), func(asked string) bool {
		file, _, _ := strings.Cut(asked, "::")
		file = path.Join(s.Path, file)
		single := path.Ext(file) == ".py" || path.Ext(file) == place.Notebook
		return slices.Contains(part.Leave, file) || part.Take != nil && single && !slices.Contains(part.Take, file)
	})}
	return o
}

// arguments are those of pytest, the user's last. Why testpaths and not plain
// paths: pytest drops them when the user names files. It finds early conftests
// by them; Tests.Paths makes sure that they hold.
func arguments(s Selected, o Options) []string {
	var args []string
	if paths := s.Config.Test.Paths; len(paths) > 0 {
		args = append(args, "-o", "testpaths="+quoted(paths))
	}
	args = append(append(args, s.Config.Test.Args...), o.Args...)
	return append(args, o.Paths[s.Path]...)
}

// unquoted matches a path that a shell would leave as it is.
var unquoted = regexp.MustCompile(`^[A-Za-z0-9_./@%+,:-]+$`)

// quoted joins paths to a value of pytest's that it splits as a shell would.
func quoted(paths []string) string {
	words := make([]string, len(paths))
	for i, p := range paths {
		words[i] = p
		if !unquoted.MatchString(p) {
			words[i] = "'" + strings.ReplaceAll(p, "'", `'"'"'`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// key is the sha256 of what decides how tests run, short of the files they
// read: who calls, where the workspace (the first mount) lies and whether the container is kept
// do not count. The image counts
// by its key, not by a name that the workspace's directory may have given it.
func key(t *Tests, imageKey string) string {
	portable := *t
	portable.Container.Caller, portable.Container.Mounts, portable.Container.Labels = spec.Owner{}, t.Container.Mounts[1:], nil
	portable.Container.Image, portable.Container.Role = "", spec.RoleFresh
	return digest(struct {
		Image string
		Tests Tests
	}{imageKey, portable})
}

// digest is the sha256 of plain data, hex.
func digest(data any) string {
	document, err := json.Marshal(data)
	if err != nil {
		panic(err) // plain strings and numbers always encode
	}
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}
