package place

import (
	"cmp"
	"fmt"
	"iter"
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
	names   map[string]string            // those seen, to paths
	lenders map[string]workspace.Project // the others, by path
	taken   map[string][]string          // files by path of the lender
	leave   []string                     // files with nothing for that of home
	mixed   []string                     // files for several containers
	cases   map[string][]Case            // those seen, by path of the lender
}

// sort finds the containers that the cases of one file need. One of which Python
// may say more, or in which something was asked for that is not seen, also
// belongs where cases without a mark do. What hooks may say does not count: they are
// in nearly every project, and few of them move cases. Of those that do, whoever
// collects the file tells, and who cannot import it elsewhere is spared it.
func (s *sorting) sort(f *pyscan.File) error {
	asked := s.askedIn(f.Name)
	needs, seen := map[string]bool{}, map[string]bool{}
	home := undecided(f.Reasons)
	for i := range f.Cases {
		c := &f.Cases[i]
		home = home || undecided(c.Reasons)
		for name, id := range containers(c) {
			if len(asked) > 0 && !wanted(id, asked, seen) {
				continue
			}
			lender, err := s.lender(name, f, c)
			if err != nil {
				return err
			}
			needs[lender] = true
			s.cases[lender] = append(s.cases[lender], Case{ID: id, File: f.Name, Line: c.Line})
		}
	}
	if home || len(needs) == 0 || len(seen) < len(asked) {
		needs[s.home.Path] = true
	}
	s.keep(f.Name, needs)
	return nil
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

// containers are the names of the containers that a case needs, "" for the
// default, and the ids for which it does: with each of its sets of parameters.
func containers(c *pyscan.Case) iter.Seq2[string, string] {
	return func(yield func(name, id string) bool) {
		if c.Params == nil {
			yield(c.Container, c.Name)
			return
		}
		for _, p := range c.Params {
			if !yield(cmp.Or(p.Container, c.Container), c.Name+"["+p.ID+"]") {
				return
			}
		}
	}
}

// wanted reports whether a case was asked for, by its own id, that of its class
// or without its parameters, and notes by which.
func wanted(id string, asked []string, seen map[string]bool) bool {
	found := false
	for _, node := range asked {
		if rest, ok := strings.CutPrefix(id, node); ok && (rest == "" || rest[0] == '[' || strings.HasPrefix(rest, "::")) {
			found, seen[node] = true, true
		}
	}
	return found
}

// lender is the path of the project, or of [images], whose container has that name.
func (s *sorting) lender(name string, f *pyscan.File, c *pyscan.Case) (string, error) {
	if name == "" {
		return s.home.Path, nil
	}
	if at, known := s.names[name]; known {
		return at, nil
	}
	p, err := s.ws.Container(name)
	if err != nil {
		return "", unknown(name, f, c, fault.Of(err))
	}
	s.names[name] = p.Path
	if p.Path != s.home.Path {
		s.lenders[p.Path] = p
	}
	return p.Path, nil
}

// unknown is the fault of a mark that names no container, or several.
func unknown(name string, f *pyscan.File, c *pyscan.Case, why *fault.Error) *fault.Error {
	out := *why
	out.Code, out.Class = unknownContainer, fault.Usage
	out.Message = fmt.Sprintf("%s wants the container %q: %s", c.Name, name, why.Message)
	out.File, out.Line = f.Name, lineOf(name, c)
	return &out
}

// lineOf is where a case names its container.
func lineOf(name string, c *pyscan.Case) int {
	marks := slices.Clone(c.Marks)
	for _, p := range c.Params {
		marks = append(marks, p.Marks...)
	}
	for _, m := range marks {
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
