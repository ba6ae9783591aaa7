package place

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// sorting sorts the test files of a project by containers.
type sorting struct {
	ws      *workspace.Workspace
	home    workspace.Project            // in whose container cases without a mark run
	asked   map[string][]string          // file to the node ids in it that were asked for; none = all
	told    assignments                  // what plugins say
	names   map[string]string            // those seen, to paths
	lenders map[string]workspace.Project // the others, by path
	taken   map[string][]string          // files by path of the lender
	leave   []string                     // files with nothing for that of home
	mixed   []string                     // files for several containers
	cases   map[string][]Case            // those seen, by path of the lender
}

// source is what is seen of a file.
type source struct {
	file  string
	cases []instance
	open  bool // Python may say more of it
}

// instance is a case with one set of parameters.
type instance struct {
	Case

	name  string        // of the container that marks want; "" = they want none
	marks []pyscan.Mark // the closest first
	of    *pyscan.Case  // nil: only a plugin has seen it
}

// sort finds the containers that the cases of one file need. One of which Python
// may say more, or in which something was asked for that is not seen, also
// belongs where cases without a mark do. What hooks may say does not count: they are
// in nearly every project, and few of them move cases. Of those that do, whoever
// collects the file tells, and who cannot import it elsewhere is spared it.
func (s *sorting) sort(f source) error {
	asked := s.askedIn(f.file)
	needs, seen := map[string]bool{}, map[string]bool{}
	for _, c := range f.cases {
		if len(asked) > 0 && !wanted(c.ID, asked, seen) {
			continue
		}
		lender, err := s.lender(c)
		if err != nil {
			return err
		}
		needs[lender] = true
		s.cases[lender] = append(s.cases[lender], c.Case)
	}
	if f.open || len(needs) == 0 || len(seen) < len(asked) {
		needs[cmp.Or(s.told.container(f.file, ""), s.home.Path)] = true
	}
	s.keep(f.file, needs)
	return nil
}

// scanned is what is seen of a file without plugins.
func scanned(f *pyscan.File) source {
	out := source{file: f.Name, open: undecided(f.Reasons)}
	for i := range f.Cases {
		out.open = out.open || undecided(f.Cases[i].Reasons)
		out.cases = append(out.cases, instances(f.Name, &f.Cases[i])...)
	}
	return out
}

// instances are a case with each of its sets of parameters.
func instances(file string, c *pyscan.Case) []instance {
	one := instance{Case: Case{ID: c.Name, File: file, Line: c.Line}, name: c.Container, marks: c.Marks, of: c}
	if c.Params == nil {
		return []instance{one}
	}
	var all []instance
	for _, p := range c.Params {
		with := one
		with.ID, with.name, with.marks = c.Name+"["+p.ID+"]", cmp.Or(p.Container, c.Container), slices.Concat(p.Marks, c.Marks)
		all = append(all, with)
	}
	return all
}

// undecided reports whether something else than hooks leaves marks open.
func undecided(reasons []pyscan.Reason) bool {
	return slices.ContainsFunc(reasons, func(r pyscan.Reason) bool {
		return r.Doubt != pyscan.IDs && r.Code != pyscan.CodeHook && r.Code != pyscan.CodePlugin
	})
}

// keep notes which containers need a file.
func (s *sorting) keep(file string, needs map[string]bool) {
	for lender := range needs {
		if lender != s.home.Path {
			s.taken[lender] = append(s.taken[lender], file)
		}
	}
	if !needs[s.home.Path] {
		s.leave = append(s.leave, file)
	}
	if len(needs) > 1 {
		s.mixed = append(s.mixed, file)
	}
}

// nodes are the node ids behind the files that were asked for. A file that was
// also asked for as a whole has none.
func nodes(p workspace.Project, paths []string) map[string][]string {
	all := map[string][]string{}
	for _, asked := range paths {
		file, node, found := strings.Cut(asked, "::")
		file = path.Join(p.Path, file)
		if known, seen := all[file]; !found || seen && known == nil {
			all[file] = nil
			continue
		}
		all[file] = append(all[file], node)
	}
	return all
}

// askedIn are the node ids in a file that were asked for; none = all, as when a
// directory above it was asked for too.
func (s *sorting) askedIn(file string) []string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if _, whole := s.asked[dir]; whole {
			return nil
		}
		if dir == "." {
			return s.asked[file]
		}
	}
}

// wanted reports whether a case was asked for, by its own id, that of its class
// or without its parameters, and notes by which.
func wanted(id string, asked []string, seen map[string]bool) bool {
	found := false
	for _, node := range asked {
		if Covers(node, id) {
			found, seen[node] = true, true
		}
	}
	return found
}

// Covers reports whether a node id stands for a case: it is its own, that of its
// class, or it without its parameters; "" stands for all.
func Covers(node, id string) bool {
	rest, ok := strings.CutPrefix(id, node)
	return ok && (node == "" || rest == "" || rest[0] == '[' || strings.HasPrefix(rest, "::"))
}

// lender is the path of the project, or of [images], in whose container a case runs.
func (s *sorting) lender(c instance) (string, error) {
	if at := s.told.container(c.File, c.ID); at != "" {
		return at, nil
	}
	if c.name == "" {
		return s.home.Path, nil
	}
	at, err := s.called(c.name)
	if err != nil {
		return "", unknown(c, fault.Of(err))
	}
	return at, nil
}

// called is the path of the project, or of [images], whose container has that name.
func (s *sorting) called(name string) (string, error) {
	if at, known := s.names[name]; known {
		return at, nil
	}
	p, err := s.ws.Container(name)
	if err != nil {
		return "", err
	}
	s.names[name] = p.Path
	if p.Path != s.home.Path {
		s.lenders[p.Path] = p
	}
	return p.Path, nil
}

// unknown is the fault of a mark that names no container, or several.
func unknown(c instance, why *fault.Error) *fault.Error {
	out := *why
	out.Code, out.Class = unknownContainer, fault.Usage
	out.Message = fmt.Sprintf("%s wants the container %q: %s", c.of.Name, c.name, why.Message)
	out.File, out.Line = c.File, c.lineOf(c.name)
	return &out
}

// lineOf is where a case names its container.
func (c instance) lineOf(name string) int {
	for _, m := range c.marks {
		if m.Name == mark && len(m.Args) == 1 && m.Args[0] == name {
			return m.Line
		}
	}
	return c.Line
}

// parts are the parts that the tests may make up.
func (s *sorting) parts() []Part {
	names := s.ws.Names()
	all := []Part{{Lender: s.home, Default: s.home.Path, Names: names, Leave: s.leave, Mixed: s.mixed, Cases: s.cases[s.home.Path]}}
	for _, lender := range slices.Sorted(maps.Keys(s.taken)) {
		all = append(all, Part{Lender: s.lenders[lender], Default: s.home.Path, Names: names, Take: s.taken[lender], Mixed: s.mixed, Cases: s.cases[lender]})
	}
	return all
}
