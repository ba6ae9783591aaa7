package pyscan

// fixtures looks for parameters that fixtures bring into the cases of a file:
// those multiply them.
func (j *join) fixtures(f *File, chain []*File) {
	levels := make([]table, 0, len(chain)+1)
	for _, level := range append([]*File{f}, chain...) {
		levels = append(levels, j.table(level))
	}
	auto := automatic(levels)
	for i := range f.Cases {
		c := &f.Cases[i]
		if c.Unittest {
			continue
		}
		search := closure{levels: levels, file: f.Name, c: c, seen: map[request]bool{}}
		for _, name := range c.Fixtures {
			search.visit(request{name, 0})
		}
		for _, a := range auto {
			search.visit(a)
		}
	}
}

// defined is a fixture and the file that defines it.
type defined struct {
	Fixture
	file string
}

// table are fixtures by name.
type table map[string][]defined

// table are the fixtures of a file, also those that it imports from modules of
// the workspace.
func (j *join) table(f *File) table {
	if t, ok := j.tables[f]; ok {
		return t
	}
	t := table{}
	j.tables[f] = t
	for _, one := range f.Fixtures {
		t[one.Name] = append(t[one.Name], defined{one, f.Name})
	}
	for _, imp := range f.Imports {
		if len(imp.Names) == 0 || imp.foreign() {
			continue
		}
		if m := j.module(f, imp.Level, imp.Module); m != nil {
			t.take(imp.Names, j.table(m))
		}
	}
	return t
}

// take adds the fixtures of a module that an import names.
func (t table) take(names []Name, from table) {
	for _, n := range names {
		if n.Name == "*" {
			for name, all := range from {
				t[name] = append(t[name], all...)
			}
		} else if all := from[n.Name]; len(all) > 0 {
			t[n.Bound()] = append(t[n.Bound()], all...)
		}
	}
}

// request is a fixture that is asked for, at some level or above: 0 is the test
// file itself.
type request struct {
	name  string
	level int
}

// automatic are the fixtures that every case uses.
func automatic(levels []table) []request {
	var all []request
	for i, level := range levels {
		for name, fixtures := range level {
			for _, one := range fixtures {
				if one.Autouse {
					all = append(all, request{name, i})
				}
			}
		}
	}
	return all
}

// closure finds all fixtures that a case uses.
type closure struct {
	levels []table
	file   string // with the case
	c      *Case
	seen   map[request]bool
	done   bool // a reason was found; one is enough
}

// visit looks at one fixture and those that it uses. How deep this goes is
// bounded by the number of fixtures: each is visited once.
func (s *closure) visit(r request) {
	todo := []request{r}
	for len(todo) > 0 && !s.done {
		r := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if s.seen[r] {
			continue
		}
		s.seen[r] = true
		todo = append(todo, s.needs(r)...)
	}
}

// needs finds a fixture at the nearest level that has it.
func (s *closure) needs(r request) []request {
	for level := r.level; level < len(s.levels); level++ {
		found, ok := s.levels[level][r.name]
		if !ok {
			continue
		}
		var all []request
		for _, f := range found {
			if f.Params {
				s.doubt(Reason{File: f.file, Line: f.Line, What: "the fixture " + f.Name + " may have parameters"}, IDs, Marks)
			}
			for _, name := range f.Fixtures {
				from := 0
				if name == f.Name { // it extends the one above it
					from = level + 1
				}
				all = append(all, request{name, from})
			}
		}
		return all
	}
	if !builtinFixtures[r.name] && !pluginFixtures[r.name] {
		s.doubt(Reason{Line: s.c.Line, What: "the fixture " + r.name + " is not of this workspace"}, IDs)
	}
	return nil
}

// doubt notes that the case may be there several times.
func (s *closure) doubt(r Reason, doubts ...Doubt) {
	s.done = true
	r.Code = CodeFixtureParams
	if r.File == s.file {
		r.File = ""
	}
	for _, r.Doubt = range doubts {
		s.c.Reasons = append(s.c.Reasons, r)
	}
}
