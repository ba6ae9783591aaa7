package config

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// LocalName is what a person's own file beside the root's wr.toml is called.
// It is for one work tree and never part of a repository.
const LocalName = "wr.local.toml"

// Person is what a person sets on their own machine, for all projects alike.
type Person struct {
	Mounts  map[string]Mount  `toml:"mounts" doc:"Files and directories of this machine, by their absolute path in the container."`
	Env     PersonEnv         `toml:"env" doc:"Environment of everything that runs in a container."`
	Limits  Limits            `toml:"limits" doc:"What containers may use on this machine, in place of what wr.toml says. Flags go before both."`
	Ports   map[string][]Port `toml:"ports" doc:"Ports that wr exec, wr shell and wr run publish, by the path or the name of the project, or the name of an image: infra = [\"8080:80\"]. One that is taken is left out, with a warning. They go besides those of -p."`
	Mirrors map[string]string `toml:"mirrors" doc:"Package mirrors, by the release that a base is made from, such as bookworm. They go before those of wr.toml."`
}

// Mount is one table [mounts."PATH"] of a person.
type Mount struct {
	Source string `toml:"source" doc:"Path on this machine; ~/ is the home directory, and what is relative starts at the file."`
	Write  bool   `toml:"write" doc:"Let containers write to it. Default: they read only."`
}

// PersonEnv is the table [env] of a person.
type PersonEnv struct {
	Allow []string `toml:"allow" doc:"Variables taken over from the caller's environment, besides those that a project allows."`
}

// Personal is what the files of a person say together.
type Personal struct {
	Person
	Settings []Setting // what counts, with where it comes from
}

// PersonFile is a file that a person may have.
type PersonFile struct {
	Path string // host path
	Name string // for faults and origins
	Home string // host path that ~ stands for
}

// LoadPersonal reads the files that there are; what a later one says of a
// mount, mirror or limit or of a project's ports counts, and the variables of all
// are allowed. An error is an [Errors] with the mistakes of the first file that
// has some.
func LoadPersonal(files ...PersonFile) (Personal, error) {
	all := Personal{Person: Person{Mounts: map[string]Mount{}, Ports: map[string][]Port{}, Mirrors: map[string]string{}}}
	for _, file := range files {
		one, lines, err := loadPerson(file)
		if err != nil {
			return Personal{}, err
		}
		all.Settings = slices.DeleteFunc(all.Settings, func(s Setting) bool { return replaced(s.Key, lines) })
		all.Settings = append(all.Settings, settings(reflect.ValueOf(one), file.Name, lines)...)
		maps.Copy(all.Mounts, one.Mounts)
		maps.Copy(all.Ports, one.Ports)
		maps.Copy(all.Mirrors, one.Mirrors)
		all.Limits = one.Limits.Over(all.Limits)
		all.Env.Allow = append(all.Env.Allow, one.Env.Allow...)
	}
	return all, nil
}

// replaced reports whether a later file, which has lines, says itself what an
// earlier one says under key.
func replaced(key string, lines map[string]int) bool {
	switch table, _, _ := strings.Cut(key, "."); table {
	case "env": // adds to it
		return false
	case "mounts": // as a whole
		return lines[key[:strings.LastIndexByte(key, '.')]] > 0
	default:
		return lines[key] > 0
	}
}

// loadPerson reads one file; one that is not there says nothing.
func loadPerson(file PersonFile) (Person, map[string]int, error) {
	var p Person
	data, err := read(file.Path)
	if os.IsNotExist(err) {
		return p, nil, nil
	}
	if err != nil {
		return p, nil, unreadable(file.Name, err)
	}
	tree, err := parseTree(file.Name, data)
	if err != nil {
		return p, nil, err
	}
	d := &decoder{name: file.Name, root: reflect.TypeFor[Person](), lines: lines(data), bad: map[string]bool{}}
	d.table("", tree, reflect.ValueOf(&p).Elem())
	d.checkPerson(p)
	for target, m := range p.Mounts {
		m.Source = followed(file.resolve(m.Source))
		p.Mounts[target] = m
		d.checkSource(join(join("mounts", target), "source"), m.Source)
	}
	return p, d.lines, d.result()
}

// resolve makes a path that a file names absolute.
func (f PersonFile) resolve(source string) string {
	if rest, ok := strings.CutPrefix(source, "~/"); ok || source == "~" {
		return filepath.Join(f.Home, strings.TrimPrefix(rest, "~"))
	}
	if !filepath.IsAbs(source) && source != "" {
		return filepath.Join(filepath.Dir(f.Path), source)
	}
	return source
}

// followed is where a path leads, if it leads anywhere: the engine mounts
// nothing through a symbolic link.
func followed(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// checkPerson notes values that make no sense.
func (d *decoder) checkPerson(p Person) {
	for _, target := range slices.Sorted(maps.Keys(p.Mounts)) {
		at := join("mounts", target)
		d.checkTarget(at, target)
		if p.Mounts[target].Source == "" && !d.bad[at] && !d.bad[join(at, "source")] {
			d.refuse(join(at, "source"), "is missing or empty")
		}
	}
	for i, name := range p.Env.Allow {
		d.shape(element("env.allow", i), name, variableShape, "letters, digits and _")
	}
	d.checkLimits("limits", p.Limits, "and would leave the limit of wr.toml; --%s 0 takes it away")
	for _, suite := range slices.Sorted(maps.Keys(p.Mirrors)) {
		at := join("mirrors", suite)
		d.shape(at, suite, suiteShape, "the name of a release, such as bookworm")
		d.filled(at, p.Mirrors[suite])
	}
}

// taken reports whether a container path is no place for a person's mounts.
func taken(target string) bool {
	for _, dir := range []string{"/app", "/.wr", "/proc", "/sys", "/dev", "/run", "/tmp"} {
		if target == dir || strings.HasPrefix(target, dir+"/") {
			return true
		}
	}
	return slices.Contains([]string{"/", "/etc", "/usr", "/bin", "/lib", "/sbin", "/var"}, target)
}

// checkSource notes a mount of what is not there.
func (d *decoder) checkSource(at, source string) {
	if _, err := os.Stat(source); err != nil && d.given(at) {
		d.mistake(at, fault.Error{
			Code: "config.no_source", Message: d.label(at) + ": " + source + ": " + cause(err),
			Next: "make it, or take the mount out", Err: err,
		})
	}
}

// PersonSchema returns a JSON schema of a person's files, for editors.
func PersonSchema() ([]byte, error) {
	return schemaDocument(reflect.TypeFor[Person](), LocalName)
}
