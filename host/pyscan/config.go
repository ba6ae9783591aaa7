package pyscan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/google/shlex"
)

// Config is how pytest is set up for a directory. All paths are relative to the
// tree that was read, with slashes, and clean.
type Config struct {
	RootDir   string   `json:"rootdir"`           // what node ids are relative to
	File      string   `json:"inifile,omitempty"` // where the settings come from
	TestPaths []string `json:"testpaths,omitempty"`
	Files     []string `json:"python_files"`
	Classes   []string `json:"python_classes"`
	Functions []string `json:"python_functions"`
	NoRecurse []string `json:"norecursedirs"`
	Path      []string `json:"pythonpath,omitempty"`
	Options   []string `json:"addopts,omitempty"`
	Reasons   []Reason `json:"reasons,omitempty"` // settings under which nothing is decided
}

// Rules are those that the settings give.
func (c Config) Rules() Rules { return Rules{Functions: c.Functions, Classes: c.Classes} }

// maxConfig is the size of the largest file with settings.
const maxConfig = 1 << 20

// Configure finds the settings of pytest as it is started in a directory with
// some paths, which are relative to that directory and may be none. An error is
// a [*fault.Error]: with such a file pytest does not start either.
func Configure(fsys fs.FS, dir string, paths ...string) (Config, error) {
	ancestor := commonAncestor(fsys, dir, paths)
	rootDir, file, found, err := locate(fsys, ancestor)
	if err != nil {
		return Config{}, err
	}
	if rootDir == "" {
		rootDir = fallbackRoot(fsys, dir, ancestor)
	}
	c := Config{RootDir: rootDir, File: file}
	c.fill(found)
	return c, nil
}

// commonAncestor is the deepest directory above all paths.
func commonAncestor(fsys fs.FS, dir string, paths []string) string {
	common := ""
	for _, p := range paths {
		p = path.Join(dir, strings.SplitN(p, "::", 2)[0])
		info, err := fs.Stat(fsys, p)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			p = path.Dir(p)
		}
		if common == "" {
			common = p
		}
		for !within(p, common) {
			common = path.Dir(common)
		}
	}
	if common == "" {
		return dir
	}
	return common
}

// within reports whether p is dir or lies below it.
func within(p, dir string) bool {
	return dir == "." || p == dir || strings.HasPrefix(p, dir+"/")
}

// locate looks for settings in a directory and those above it. A pyproject.toml
// without any makes its directory the root if there are none at all.
func locate(fsys fs.FS, from string) (rootDir, file string, found settings, err error) {
	project := ""
	for dir := from; ; dir = path.Dir(dir) {
		file, found, err := locateIn(fsys, dir)
		if err != nil || found != nil {
			return dir, file, found, err
		}
		if project == "" && isFile(fsys, path.Join(dir, "pyproject.toml")) {
			project = path.Join(dir, "pyproject.toml")
		}
		if dir == "." {
			break
		}
	}
	if project != "" {
		rootDir = path.Dir(project)
	}
	return rootDir, project, nil, nil
}

// locateIn looks for settings in one directory; nil means that there are none.
func locateIn(fsys fs.FS, dir string) (file string, found settings, err error) {
	for _, l := range loaders {
		name := path.Join(dir, l.name)
		data, err := readFile(fsys, name, maxConfig)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			found, err = l.load(data)
		}
		if err != nil {
			return name, nil, configFault(name, err)
		}
		if found != nil {
			return name, found, nil
		}
	}
	return "", nil, nil
}

// fallbackRoot is the root where there are no settings: the nearest directory
// with a setup.py, else what is above both the directory and the paths.
func fallbackRoot(fsys fs.FS, dir, ancestor string) string {
	for at := ancestor; ; at = path.Dir(at) {
		if isFile(fsys, path.Join(at, "setup.py")) {
			return at
		}
		if at == "." {
			break
		}
	}
	for !within(dir, ancestor) {
		ancestor = path.Dir(ancestor)
	}
	return ancestor
}

func isFile(fsys fs.FS, name string) bool {
	info, err := fs.Stat(fsys, name)
	return err == nil && info.Mode().IsRegular()
}

// readFile reads a regular file up to a size. It looks before it opens: to open
// a pipe would wait for somebody to write.
func readFile(fsys fs.FS, name string, most int64) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: no regular file", fs.ErrNotExist)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var data bytes.Buffer
	data.Grow(int(min(info.Size(), most)) + bytes.MinRead)
	if _, err := data.ReadFrom(io.LimitReader(f, most+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > most {
		return nil, fmt.Errorf("larger than %d MiB", most>>20)
	}
	return data.Bytes(), nil
}

// fill takes the settings that say which tests there are.
func (c *Config) fill(s settings) {
	c.TestPaths = c.list(s, "testpaths", nil)
	c.Files = c.list(s, "python_files", []string{"test_*.py", "*_test.py"})
	c.Classes = c.list(s, "python_classes", []string{"Test"})
	c.Functions = c.list(s, "python_functions", []string{"test"})
	c.NoRecurse = c.list(s, "norecursedirs", []string{"*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"})
	c.Options = c.list(s, "addopts", nil)
	for _, p := range c.list(s, "pythonpath", nil) {
		c.Path = append(c.Path, path.Join(c.RootDir, p))
	}
	c.checkOptions()
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if d, changes := collectSettings[name]; changes {
			c.doubt(d, "the setting "+name)
		}
	}
}

// collectSettings are settings under which other rules hold than this package
// knows.
var collectSettings = map[string]Doubt{
	"usefixtures":                      IDs,
	"collect_imported_tests":           Cases,
	"consider_namespace_packages":      Cases,
	"parametrize_long_str_id_strategy": IDs,
	"strict_parametrization_ids":       IDs,
	"disable_test_id_escaping_and_forfeit_all_rights_to_community_support": IDs,
}

// list reads a setting that is a list of words.
func (c *Config) list(s settings, name string, otherwise []string) []string {
	switch value := s[name].(type) {
	case nil:
		return otherwise
	case string:
		return c.words(value, name)
	case []any:
		all := make([]string, 0, len(value))
		for _, item := range value {
			all = append(all, fmt.Sprint(item))
		}
		return all
	}
	c.doubt(Cases, "the setting "+name)
	return otherwise
}

// words splits a value as a shell does.
func (c *Config) words(value, name string) []string {
	if !strings.ContainsAny(value, `'"\`) {
		return strings.Fields(value)
	}
	words, err := shlex.Split(value)
	if err != nil {
		c.doubt(Cases, "the setting "+name)
	}
	return words
}

// doubt notes a setting under which something is not decided.
func (c *Config) doubt(d Doubt, what string) {
	c.Reasons = append(c.Reasons, Reason{Code: CodeOption, Doubt: d, File: c.File, What: what})
}

// collectOptions are options of pytest that change which cases there are. An
// option that is not known here belongs to a plugin; those that are installed
// are not looked at anyway.
var collectOptions = set(
	"-k", "-m", "-p", "-c", "-o", "--config-file", "--rootdir", "--ignore", "--ignore-glob", "--deselect", "--pyargs",
	"--collect-in-virtualenv", "--keep-duplicates", "--confcutdir", "--noconftest", "--override-ini", "--doctest-modules",
	"--doctest-glob", "--lf", "--last-failed", "--lfnf", "--last-failed-no-failures", "--sw", "--stepwise", "--count", "--repeat",
)

// checkOptions looks for options that change what is collected.
func (c *Config) checkOptions() {
	for i, option := range c.Options {
		name, _, _ := strings.Cut(option, "=")
		short := len(option) > 2 && option[0] == '-' && option[1] != '-' && collectOptions[option[:2]]
		path := option[0] != '-' && i == 0
		if collectOptions[name] || short || path {
			c.doubt(Cases, "the option "+option+" in addopts")
		}
	}
}
