package pyscan

import (
	"path"
	"slices"
	"strings"
)

// join brings together what files say about one another: hooks and fixtures of
// conftest files, and what is imported from modules of the workspace.
type join struct {
	tree    *Tree
	reader  *reader
	roots   []string // where imports look
	modules map[string]*File
	chains  map[string][]*File // of a directory: conftest files, the nearest first
	tables  map[*File]table
	bases   map[string]string // of a directory: see packageRoot
}

func newJoin(t *Tree, r *reader, dir string) *join {
	return &join{
		tree: t, reader: r,
		roots:   append(append([]string{}, t.Config.Path...), t.Config.RootDir, dir, path.Join(dir, "src"), "."),
		modules: map[string]*File{}, chains: map[string][]*File{}, tables: map[*File]table{}, bases: map[string]string{},
	}
}

// run adds to each test file the reasons that other files give.
func (j *join) run() {
	plugins := j.plugins()
	global := j.globalHooks(plugins)
	for i := range j.tree.Tests {
		f := &j.tree.Tests[i]
		chain := append(j.chain(path.Dir(f.Name)), plugins...)
		f.Reasons = append(f.Reasons, global...)
		for _, above := range chain {
			f.Reasons = append(f.Reasons, localHooks(above)...)
			f.Reasons = append(f.Reasons, borrowed(above)...)
		}
		j.ownPlugins(f)
		j.imports(f)
		j.fixtures(f, chain)
	}
}

// chain are the conftest files of a directory, the nearest first.
func (j *join) chain(dir string) []*File {
	if found, ok := j.chains[dir]; ok {
		return found
	}
	var found []*File
	for i := range j.tree.Conftests {
		if f := &j.tree.Conftests[i]; f.Name == path.Join(dir, conftest) {
			found = append(found, f)
		}
	}
	if dir != j.tree.Config.RootDir && dir != "." {
		found = append(found, j.chain(path.Dir(dir))...)
	}
	j.chains[dir] = slices.Clip(found)
	return j.chains[dir]
}

// plugins are the modules of the workspace that conftest files name in
// pytest_plugins. Others are installed, and like all that are installed taken
// to leave collection alone.
func (j *join) plugins() []*File {
	var all []*File
	for i := range j.tree.Conftests {
		f := &j.tree.Conftests[i]
		for _, p := range f.Plugins {
			if m := j.module(f, 0, p.Name); m != nil {
				all = append(all, m)
			}
		}
	}
	return all
}

// ownPlugins notes modules of the workspace that a test file loads as plugins:
// from then on they see all files, also those that were collected before.
func (j *join) ownPlugins(f *File) {
	for _, p := range f.Plugins {
		if j.module(f, 0, p.Name) != nil {
			f.Reasons = append(f.Reasons, Reason{Code: CodePlugin, Doubt: Cases, Line: p.Line, What: "pytest_plugins names " + p.Name})
		}
	}
}

// globalDoubts are hooks that see all cases, wherever they are defined.
var globalDoubts = map[string]Doubt{
	"pytest_collection_modifyitems": Cases,
	"pytest_collection":             Cases,
	"pytest_make_parametrize_id":    IDs,
}

// localDoubts are hooks that see what lies below the directory of their
// conftest.py.
var localDoubts = map[string]Doubt{
	"pytest_ignore_collect":       Cases,
	"pytest_collect_file":         Cases,
	"pytest_collect_directory":    Cases,
	"pytest_pycollect_makemodule": Cases,
	"pytest_pycollect_makeitem":   Cases,
	"pytest_itemcollected":        Marks,
}

// globalHooks are the reasons that hooks for all cases give.
func (j *join) globalHooks(plugins []*File) []Reason {
	var all []Reason
	for i := range j.tree.Conftests {
		all = append(all, hookReasons(&j.tree.Conftests[i], globalDoubts)...)
	}
	for _, p := range plugins {
		all = append(all, hookReasons(p, globalDoubts)...)
	}
	return all
}

func localHooks(f *File) []Reason { return hookReasons(f, localDoubts) }

func hookReasons(f *File, doubts map[string]Doubt) []Reason {
	var all []Reason
	for _, h := range f.Hooks {
		if d, ok := doubts[h.Name]; ok {
			all = append(all, Reason{Code: CodeHook, Doubt: d, File: f.Name, Line: h.Line, What: h.Name})
		}
	}
	return all
}

// borrowed are the reasons of a conftest file that hold below it too.
func borrowed(f *File) []Reason {
	var all []Reason
	for _, r := range f.Reasons {
		switch r.Code {
		case CodeSyntax, CodeUnreadable, CodeStarImport, CodeDynamic, CodeHook, CodeMaySkip:
		case CodeComputed:
			if !strings.HasPrefix(r.What, "collect_ignore") && r.What != "pytest_plugins" {
				continue
			}
		default:
			continue
		}
		r.File = f.Name
		all = append(all, r)
	}
	return all
}

// imports looks for test cases among the classes that a file imports.
func (j *join) imports(f *File) {
	for _, imp := range f.Imports {
		if imp.foreign() {
			continue
		}
		for _, n := range imp.Names {
			if n.Name != "*" && j.carries(f, imp, n.Name, 0) {
				f.Reasons = append(f.Reasons, Reason{Code: CodeImported, Doubt: Cases, Line: imp.Line, What: n.Bound() + " may be a test case of " + imp.Module})
			}
		}
	}
	for _, c := range f.Calls {
		j.call(f, c)
	}
	for _, c := range f.Carriers {
		module, name, dotted := cutLast(c.Base)
		if dotted && j.carries(f, relative(module), name, 0) {
			f.Reasons = append(f.Reasons, Reason{Code: CodeBase, Doubt: Cases, Line: c.Line, What: c.Name + " has the base " + c.Base})
		}
	}
}

// foreign reports whether an import cannot bring anything of the workspace into
// a module: it is never carried out there, or its module is known.
func (i Import) foreign() bool {
	return i.TypeChecking || i.Function || i.Level == 0 && (isStdlib(i.Module) || i.Module == "pytest" || i.Module == "unittest")
}

// call looks what a function of the workspace does that runs when the file is
// imported.
func (j *join) call(f *File, c Call) {
	module, name, dotted := cutLast(c.Path)
	if !dotted {
		return
	}
	imp := relative(module)
	m := j.module(f, imp.Level, imp.Module)
	switch {
	case m == nil:
	case slices.Contains(m.Effects, name):
		f.Reasons = append(f.Reasons, Reason{Code: CodeDynamic, Doubt: Cases, Line: c.Line, What: c.Path + " may skip the module or add to it"})
	case c.Class:
		f.Reasons = append(f.Reasons, Reason{Code: CodeComputed, Doubt: Cases, Line: c.Line, What: "a class may be made by " + c.Path})
	}
}

// relative is the import of a module by its dotted name.
func relative(module string) Import {
	name := strings.TrimLeft(module, ".")
	return Import{Module: name, Level: len(module) - len(name)}
}

func cutLast(path string) (module, name string, ok bool) {
	at := strings.LastIndexByte(path, '.')
	if at <= 0 {
		return "", path, false
	}
	return path[:at], path[at+1:], true
}

// maxHops bounds how often a name is passed on from module to module.
const maxHops = 16

// carries reports whether a name of an imported module is a test case. For
// modules from elsewhere the name of the class has to say it.
func (j *join) carries(from *File, imp Import, name string, hops int) bool {
	m := j.module(from, imp.Level, imp.Module)
	if m == nil || hops > maxHops {
		return hops > maxHops
	}
	for _, c := range m.Carriers {
		if c.Name != name {
			continue
		}
		if c.Base == "" {
			return true
		}
		module, base, dotted := cutLast(c.Base)
		if looksLikeTest(c.Base) || !dotted {
			return looksLikeTest(c.Base)
		}
		return j.carries(m, relative(module), base, hops+1)
	}
	for _, passed := range m.Imports {
		for _, n := range passed.Names {
			if n.Bound() == name && j.carries(m, passed, n.Name, hops+1) {
				return true
			}
		}
	}
	return false
}

// module finds a module of the workspace; nil if it is none.
func (j *join) module(from *File, level int, name string) *File {
	at := strings.ReplaceAll(name, ".", "/")
	if level > 0 {
		dir := path.Dir(from.Name)
		for range level - 1 {
			dir = path.Dir(dir)
		}
		return j.load(path.Join(dir, at))
	}
	for _, root := range j.roots {
		if m := j.load(path.Join(root, at)); m != nil {
			return m
		}
	}
	return j.load(path.Join(j.packageRoot(path.Dir(from.Name)), at))
}

// packageRoot is the directory that pytest puts on Python's path for a file: the
// first above it that is no package.
func (j *join) packageRoot(dir string) string {
	if root, ok := j.bases[dir]; ok {
		return root
	}
	root := dir
	for root != "." && isFile(j.reader.fsys, path.Join(root, "__init__.py")) {
		root = path.Dir(root)
	}
	j.bases[dir] = root
	return root
}

// load reads the module at a path, without its ending, once.
func (j *join) load(at string) *File {
	if m, ok := j.modules[at]; ok {
		return m
	}
	j.modules[at] = nil
	for _, name := range []string{at + ".py", path.Join(at, "__init__.py")} {
		if isFile(j.reader.fsys, name) {
			f := j.reader.one(name)
			j.modules[at] = &f
			break
		}
	}
	return j.modules[at]
}
