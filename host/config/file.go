// Package config reads wr.toml: what a workspace and a project say about
// themselves. Reading is strict. Every mistake of a file is found in one pass
// and says the file, the line, the bad key and the nearest valid one.
package config

import (
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
)

// Name is what the configuration file is called, in every directory.
const Name = "wr.toml"

// File is one wr.toml with its defaults filled in. Tables that have to be
// written to count are pointers: nil means that the file does not have them.
//
// The tags drive reading, the JSON schema and the messages of mistakes.
type File struct {
	Workspace *Workspace        `toml:"workspace" doc:"This directory is the root of a workspace."`
	Project   *Project          `toml:"project" doc:"This directory is a project: it has a container of its own."`
	Image     Image             `toml:"image" doc:"How the project's image is made."`
	Test      Test              `toml:"test" doc:"How the project's tests run."`
	Env       Env               `toml:"env" doc:"Environment of everything that runs in the project's container."`
	Run       Run               `toml:"run" doc:"How commands and shells run."`
	Suites    map[string]Suite  `toml:"suites" doc:"Sets of tests that run the same way. Those of the root's wr.toml are there in every project. Built in: slow and superslow, of the cases with those marks, and fast, of all that are in no other suite, which runs when none is named."`
	Tasks     map[string]Task   `toml:"tasks" doc:"Named things to do in the project's container, by wr run. Those of the root's wr.toml are there in every project."`
	Lint      map[string]Linter `toml:"lint" doc:"Linters for wr lint, by name. Those of the root's wr.toml are there in every project, which can say otherwise key by key, or enabled = false."`
	Plugins   map[string]Plugin `toml:"plugins" doc:"Plugins that wr.lock pins. Those of the root's wr.toml hold for every project, and a project's own go before them."`
	Limits    Limits            `toml:"limits" doc:"What the project's containers may use. A limit that the machine cannot keep is an error."`
	Rights    Rights            `toml:"rights" doc:"What the project's containers may do and see of this machine besides the usual. Shown by wr ls and whenever a command starts."`
	Policy    Policy            `toml:"policy" doc:"Who may build images here, and what projects may ask for. It tells people, and stops nobody who means it: rights are the registry's to give."`
	Images    map[string]Image  `toml:"images" doc:"Images that belong to no project, by the name that @pytest.mark.container and [test] container call them, for tests that need another one than their project. In the root's wr.toml only; the context of a build is the root's directory. A test in such a container keeps the environment, network, limits and rights of its project."`
	Bases     map[string]Base   `toml:"bases" doc:"Base images made from a distribution's packages, by the name that FROM uses. With [workspace] registry, one is made once and shared, and wr.lock says which."`

	lines map[string]int // 1-based line of each key that the file holds, by dotted key
}

// Workspace is the table [workspace].
type Workspace struct {
	Name     string   `toml:"name" doc:"Name of the workspace. Default: the name of its directory."`
	Registry string   `toml:"registry" doc:"Where images are pushed to and pulled from, such as ghcr.io/acme. The image of a project is REGISTRY/PROJECT:in-KEY there, by the key of its inputs, slashes of the project written as two dashes, and that of an entry of [images] REGISTRY/NAME:in-KEY; that of a base of [bases] is REGISTRY/BASE:in-HASH, by the hash of what is declared."`
	Exclude  []string `toml:"exclude" doc:"Directories that hold no projects, as globs such as legacy/**."`
}

// Project is the table [project].
type Project struct {
	Name    string   `toml:"name" doc:"Another name to call the project by. Default: the last part of its path."`
	Version string   `toml:"version" doc:"Semantic version, such as 1.4.0."`
	Needs   []string `toml:"needs" doc:"Other projects whose code this one uses. Read, and not used yet."`
}

// Image is the table [image], or one table [images.NAME].
type Image struct {
	Dockerfile   string            `toml:"dockerfile" default:"devops/Dockerfile" doc:"Dockerfile, relative to the directory of this file."`
	Target       string            `toml:"target" doc:"Stage of the Dockerfile to build. Default: the last one."`
	Args         map[string]string `toml:"args" doc:"Build arguments."`
	Ref          string            `toml:"ref" doc:"Use this finished image, such as ghcr.io/acme/tools:1.4, and build none."`
	From         string            `toml:"from" doc:"Use the image of another project, by its path from here, such as ../infra, or one of [images], by its name."`
	Entrypoint   spec.Entrypoint   `toml:"entrypoint" enum:"once,each,off" default:"once" doc:"What becomes of the image's ENTRYPOINT: it runs once, when a container starts, and commands get the environment that it made; or before each command; or never."`
	PytestPlugin bool              `toml:"pytest_plugin" doc:"The image carries wr's pytest plugin, so that pytest knows the mark container wherever the image is started, such as by a job of CI. Leave it out of what goes into production."`
	User         string            `toml:"user" doc:"User inside the container: a name or uid[:gid]. Default: the image's."`
}

// Test is the table [test].
type Test struct {
	Paths     []string     `toml:"paths" doc:"Files and directories with tests, relative to the project. Default: what pytest finds."`
	None      string       `toml:"none" doc:"The project has no tests, and why. Without it, finding no tests is a failure."`
	Command   []string     `toml:"command" default:"pytest" doc:"Command that starts pytest."`
	Args      []string     `toml:"args" doc:"Arguments for pytest in every run."`
	Network   spec.Network `toml:"network" enum:"none,host" default:"none" doc:"What tests can reach."`
	Container string       `toml:"container" doc:"In whose container the tests run that name none with @pytest.mark.container: a project, or one of [images]. Default: the project itself."`
}

// Env is the table [env].
type Env struct {
	Allow []string          `toml:"allow" doc:"Variables taken over from the caller's environment."`
	Set   map[string]string `toml:"set" doc:"Variables with fixed values."`
}

// Run is the table [run].
type Run struct {
	Network spec.Network `toml:"network" enum:"none,host" default:"host" doc:"What commands and shells can reach."`
}

// Policy is the table [policy].
type Policy struct {
	Build    string       `toml:"build" enum:"allow,deny" default:"allow" doc:"Whether everybody may build images that are found nowhere, or only the builders."`
	Builders []string     `toml:"builders" doc:"Who may build all the same: names of users, and of groups after an @, such as @devops."`
	Rights   []string     `toml:"rights" doc:"The kinds of [rights] that projects may have: privileged, capabilities, devices, mounts, ssh_agent, credentials. Default: all; an empty list: none. It bounds workspaces inside this one as well."`
	Plugins  PluginPolicy `toml:"plugins" doc:"What plugins may be granted here at most. /etc/wr/policy.toml, with the same keys in [plugins], bounds all workspaces of a machine."`
	Owner    string       `toml:"owner" doc:"Whom the others should ask, in words for people: a team, a channel, an address."`
}

// MayBuild reports whether a user with these names may build: their own, and
// those of their groups after an @.
func (p Policy) MayBuild(names []string) bool {
	return p.Build != "deny" || slices.ContainsFunc(p.Builders, func(b string) bool { return slices.Contains(names, b) })
}

// Refused returns the first kind of r that the policy of f does not let
// projects have, or "".
func (f *File) Refused(r Rights) string {
	if f.Line("policy.rights") == 0 {
		return ""
	}
	for _, one := range r.List() {
		if !slices.Contains(f.Policy.Rights, one.Kind) {
			return one.Kind
		}
	}
	return ""
}

// Base is one table [bases."NAME"].
type Base struct {
	Suite   string   `toml:"suite" doc:"Release of the distribution, such as bookworm."`
	Include []string `toml:"include" doc:"Packages to install."`
	Mirror  string   `toml:"mirror" doc:"Package mirror. Default: the machine's own."`
}

// Default returns what a directory without a wr.toml has.
func Default() *File {
	f := &File{lines: map[string]int{}}
	f.setDefaults()
	return f
}

// Line returns the line on which the file has key, such as "image.dockerfile",
// or 0 when it has no such key.
func (f *File) Line(key string) int { return f.lines[key] }

// First returns the first line on which the file has key or a part of it, or 0.
func (f *File) First(key string) int {
	first := 0
	for at, line := range f.lines {
		inside := at == key || strings.HasPrefix(at, key+".") || strings.HasPrefix(at, key+"[")
		if inside && line > 0 && (first == 0 || line < first) {
			first = line
		}
	}
	return first
}

// setDefaults fills in what the file leaves open.
func (f *File) setDefaults() {
	f.Image.setDefaults()
	for name, image := range f.Images {
		image.setDefaults()
		f.Images[name] = image
	}
	setDefault(&f.Policy.Build, "allow")
	setDefault(&f.Test.Network, spec.NetworkNone)
	setDefault(&f.Run.Network, spec.NetworkHost)
	if len(f.Test.Command) == 0 {
		f.Test.Command = []string{"pytest"}
	}
}

func (i *Image) setDefaults() {
	setDefault(&i.Dockerfile, "devops/Dockerfile")
	setDefault(&i.Entrypoint, spec.EntrypointOnce)
}

// Entry is what a project would have that has nothing but the image called name
// in [images], with its lines: what can be asked of [image] can be asked of it.
func (f *File) Entry(name string) *File {
	e := Default()
	e.Image = f.Images[name]
	for at, line := range f.lines {
		if key, ok := strings.CutPrefix(at, Key("images", name)); ok && (key == "" || key[0] == '.') {
			e.lines["image"+key] = line
		}
	}
	return e
}

// setDefault sets an empty text to value.
func setDefault[T ~string](text *T, value T) {
	if *text == "" {
		*text = value
	}
}
