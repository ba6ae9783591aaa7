package main_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// module is the import path of the repository's root.
const module = "github.com/wr-build/wr"

// maxLines is the length of a file that nobody wants to read at once.
const maxLines = 500

// row is a layer: its packages may be imported from later rows only, and never
// from one another.
type row struct {
	what     string
	packages []string // directories, as patterns of path.Match
}

// rows is the architecture. A package imports only from rows above its own. A
// new package gets its place here, by a decision: the lowest number that its
// imports allow says what it is.
var rows = []row{
	{"faults: what a user can act on; standard library only", []string{
		"runtime/spec/fault",
	}},
	{"leaves: words, facts and plain data; standard library only", []string{
		"host/event", "host/mark", "host/target", "host/shard", "sdk/go", "sdk/go/abi", "host/plugin/trace", "host/plugin/module/moduletest",
		"runtime/spec",
	}},
	{"leaves over leaves: reports of facts, fakes of spec; standard library only", []string{
		"host/report", "host/plugin/module", "runtime/spec/spectest", "sdk/go/wr",
	}},
	{"leaves over reports: pages, test support; standard library only", []string{
		"host/report/page", "host/report/reporttest",
	}},
	{"which files plugins see", []string{
		"host/plugin/scope",
	}},
	{"what plugins may ask for and be granted", []string{
		"host/plugin/capability",
	}},
	{"messages and open files over sockets", []string{"runtime/wire"}},
	{"files, git, cache, terminals, the engine's life", []string{
		"host/config", "host/lock", "host/state", "host/vcs", "host/cache", "host/inputs", "host/pyscan",
		"host/plugin/confine", "host/plugin/confine/confinetest", "host/lint/match",
		"runtime/proxy", "runtime/helper", "runtime/engine", "runtime/registry",
	}},
	{"discovery; how long tests took; wazero; build, run", []string{
		"host/workspace", "host/history", "host/edit", "host/plugin/call", "host/plugin/manifest", "host/plugin/rpc", "host/plugin/account", "host/pyscan/discovery", "host/plugin/view", "host/plugin/sandbox", "host/lint/process", "host/plugin/store",
		"runtime/agent", "runtime/local", "runtime/image", "runtime/container",
	}},
	{"dependencies between projects; tasks; new projects; what plugins have to keep to; the engine's process; test support for containers and plugins", []string{
		"host/graph", "host/scaffold", "host/suite", "host/task", "host/plugin/conform", "host/plugin/plugintest", "runtime/daemon", "runtime/container/containertest", "host/plugin/vfs", "host/plugin/memo", "host/lint", "host/plugin/fetch", "host/plugin/grant", "host/plugin/pin", "host/plugin/builtin",
	}},
	{"where tests run; what this machine lacks; the plugins of a workspace", []string{"host/place", "host/plugin", "runtime/doctor"}},
	{"selection and digests to actions with keys; pure", []string{"host/plan"}},
	{"carries a plan out; what tests gave; typed calls into plugins", []string{"host/run", "host/testcache", "host/hook"}},
	{"collects, shards, runs, merges tests", []string{"host/testrun"}},
	{"elsewhere; drawing events", []string{"host/remote", "host/ui"}},
	{"the command line; what first-party plugins do, tested natively", []string{
		"cmd/wr/cli", "plugins/*/*",
	}},
	{"programs", []string{
		"cmd/wr", "cmd/bench", "runtime/agent/wr-agent", "runtime/shim", "runtime/helper/pack", "plugins/*", "host/plugin/pack", "host/plugin/plugintest/guest", "host/plugin/sandbox/wr-plugin", "host/plugin/builtin/pack",
	}},
}

// leafRows is how many of the first rows use nothing but the standard library.
const leafRows = 4

// door says where something may be imported; sub-packages are included on both
// sides. What no door names is free.
type door struct {
	imported string   // import path or what several begin with
	only     []string // directories that may import it
}

var doors = []door{
	{"github.com/tetratelabs/wazero", []string{"host/plugin"}},
	{"github.com/containerd", []string{"runtime"}},
	{"github.com/moby/buildkit", []string{"runtime", "plugins"}},
	{"github.com/opencontainers", []string{"runtime"}},
	{"github.com/alecthomas/kong", []string{"cmd"}},
	{"github.com/pelletier/go-toml", []string{"host/config", "host/lock", "host/plugin", "host/pyscan", "plugins"}},
}

// diet says what of this module some directories may import at most, besides
// what is below themselves.
type diet struct {
	dir     string
	imports []string
}

// Host decides, runtime executes, and they meet in runtime/spec. Host and plugins
// meet in sdk/go/abi; wr writes the SDK beside new plugins. Processes of wr speak to
// one another over runtime/wire, whoever they are.
var diets = []diet{
	{"host", []string{"host", "runtime/spec", "runtime/wire", "sdk/go/abi", "sdk/go/."}},
	{"runtime", []string{"runtime"}},
	{"plugins", []string{"plugins", "sdk", "host/pyscan"}},
	{"sdk", []string{"sdk"}},
}

// noGoFiles are the directories that hold packages and are none.
var noGoFiles = []string{"host", "runtime", "sdk", "plugins"}

// goFile is one file, whatever its build constraints: the rules hold for all
// platforms and tags at once.
type goFile struct {
	name    string // from the root, slash-separated
	imports []string
	lines   int
}

func (f goFile) dir() string  { return path.Dir(f.name) }
func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

func TestLayersAndDoorsAreKept(t *testing.T) {
	files, err := readFiles(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d Go files: this is not the whole repository", len(files))
	}
	for _, violation := range check(files) {
		t.Error(violation)
	}
}

func TestAViolationIsFound(t *testing.T) {
	tests := map[string]struct {
		file goFile
		want string // part of the only violation; "" = none
	}{
		"an import from a row above is fine":      {imports("host/plan/a.go", "host/graph", "runtime/spec"), ""},
		"an import from the own row":              {imports("host/graph/a.go", "runtime/daemon"), "same row"},
		"an import from a row below":              {imports("host/config/a.go", "host/plan"), "below it"},
		"a package that no row names":             {imports("host/misc/a.go"), "no row"},
		"a third-party module in a leaf":          {imports("host/event/a.go", "golang.org/x/sync/errgroup"), "standard library"},
		"the standard library in a leaf is fine":  {imports("sdk/go/wr/a.go", "encoding/json"), ""},
		"containerd in host":                      {imports("host/run/a.go", "github.com/containerd/containerd/v2/client"), "only under runtime"},
		"containerd's small modules in host":      {imports("host/run/a.go", "github.com/containerd/platforms"), "only under runtime"},
		"BuildKit in runtime is fine":             {imports("runtime/image/a.go", "github.com/moby/buildkit/client"), ""},
		"BuildKit in a command":                   {imports("cmd/wr/cli/a.go", "github.com/moby/buildkit/client"), "only under runtime"},
		"OCI types in host":                       {imports("host/plan/a.go", "github.com/opencontainers/image-spec/specs-go/v1"), "only under runtime"},
		"a module that only begins alike is fine": {imports("host/run/a.go", "github.com/containerdish/x"), ""},
		"wazero below host/plugin is fine":        {imports("host/plugin/fetch/a.go", "github.com/tetratelabs/wazero/api"), ""},
		"wazero elsewhere":                        {imports("host/hook/a.go", "github.com/tetratelabs/wazero"), "only under host/plugin"},
		"kong outside cmd":                        {imports("host/ui/a.go", "github.com/alecthomas/kong"), "only under cmd"},
		"toml outside its packages":               {imports("host/workspace/a.go", "github.com/pelletier/go-toml/v2"), "only under host/config, host/lock, host/plugin"},
		"runtime beyond spec in host":             {imports("host/run/a.go", "runtime/image"), "host imports of this module only"},
		"host in runtime":                         {imports("runtime/image/a.go", "host/event"), "runtime imports of this module only"},
		"the SDK's files in host are fine":        {imports("host/scaffold/a.go", "sdk/go"), ""},
		"the SDK in host":                         {imports("host/scaffold/a.go", "sdk/go/wr"), "host imports of this module only"},
		"a plugin reaching into host":             {imports("plugins/pytest/a.go", "host/graph"), "plugins imports of this module only"},
		"a plugin's own package is fine":          {imports("plugins/pytest/a.go", "plugins/pytest/scan", "sdk/go/wr", "host/pyscan"), ""},
		"tests may import what they need":         {imports("host/run/a_test.go", "runtime/daemon", "github.com/alecthomas/kong"), ""},
		"a file directly in host":                 {goFile{name: "host/doc_test.go"}, "no Go file lies directly in host/"},
		"a file that is too long":                 {goFile{name: "host/run/a_test.go", lines: maxLines + 1}, "501 lines"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := check([]goFile{tt.file})
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q, want no violation", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("got %q, want one violation with %q", got, tt.want)
			}
		})
	}
}

func TestFilesAreReadWhateverTheirConstraints(t *testing.T) {
	got, err := readFiles(fstest.MapFS{
		"go.mod":                 {Data: []byte("module x")},
		"host/a/a_plan9.go":      {Data: []byte("//go:build engine\n\npackage a\n\nimport \"" + module + "/runtime/wire\"\n")},
		"host/a/testdata/x.go":   {Data: []byte("not Go")},
		".hidden/x.go":           {Data: []byte("not Go")},
		"other/go.mod":           {Data: []byte("module other")},
		"other/x.go":             {Data: []byte("package other")},
		"examples/acme/a/doc.md": {},
	})
	want := []goFile{{name: "host/a/a_plan9.go", imports: []string{module + "/runtime/wire"}, lines: 5}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// imports makes a short file; an import without a dot in its first part that
// is a directory of rows is one of this module.
func imports(name string, paths ...string) goFile {
	f := goFile{name: name, lines: 1}
	for _, p := range paths {
		if len(rowsOf(p)) > 0 {
			p = module + "/" + p
		}
		f.imports = append(f.imports, p)
	}
	return f
}

// readFiles returns the Go files of the module in root, sorted by name,
// without those the go command ignores: testdata, names that begin with a dot
// or underscore, other modules.
func readFiles(root fs.FS) ([]goFile, error) {
	var files []goFile
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case entry.IsDir() && ignored(root, name):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		f, err := readFile(root, name)
		files = append(files, f)
		return err
	})
	return files, err
}

func ignored(root fs.FS, dir string) bool {
	base := path.Base(dir)
	_, err := fs.Stat(root, path.Join(dir, "go.mod"))
	return base == "testdata" || strings.ContainsAny(base[:1], "._") || err == nil
}

func readFile(root fs.FS, name string) (goFile, error) {
	f := goFile{name: name}
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return f, err
	}
	f.lines = bytes.Count(text, []byte("\n"))
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return f, err
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}

// check returns one sentence for each broken rule.
func check(files []goFile) []string {
	var broken []string
	for _, f := range files {
		broken = append(broken, checkFile(f)...)
		if !f.isTest() {
			broken = append(broken, checkPlace(f.dir())...)
			broken = append(broken, checkImports(f)...)
		}
	}
	slices.Sort(broken)
	return slices.Compact(broken)
}

func checkFile(f goFile) []string {
	var broken []string
	if f.lines > maxLines {
		broken = append(broken, fmt.Sprintf("%s: %d lines, more than %d: split it along its ideas", f.name, f.lines, maxLines))
	}
	if slices.Contains(noGoFiles, f.dir()) {
		broken = append(broken, fmt.Sprintf("%s: no Go file lies directly in %s/", f.name, f.dir()))
	}
	return broken
}

func checkPlace(dir string) []string {
	switch n := len(rowsOf(dir)); n {
	case 1:
		return nil
	case 0:
		return []string{fmt.Sprintf("%s: in no row of cmd/wr/layers_test.go: "+
			"put the code into a package that is there, or give this one the first row below all it imports", dir)}
	default:
		return []string{fmt.Sprintf("%s: in %d rows of cmd/wr/layers_test.go, must be in one", dir, n)}
	}
}

func checkImports(f goFile) []string {
	var broken []string
	for _, imported := range f.imports {
		dir, own := strings.CutPrefix(imported, module+"/")
		var reason string
		switch {
		case own:
			reason = cmp.Or(checkRow(f.dir(), dir), checkDiet(f.dir(), dir))
		case strings.Contains(strings.Split(imported, "/")[0], "."):
			reason = cmp.Or(checkLeaf(f.dir()), checkDoor(f.dir(), imported))
		}
		if reason != "" {
			broken = append(broken, fmt.Sprintf("%s imports %s: %s", f.name, imported, reason))
		}
	}
	return broken
}

// checkRow says why one package must not import the other by their rows; a
// package without its one row is checkPlace's.
func checkRow(from, to string) string {
	a, b := rowsOf(from), rowsOf(to)
	switch {
	case len(a) != 1 || len(b) != 1 || b[0] < a[0]:
		return ""
	case b[0] == a[0]:
		return fmt.Sprintf("they are in the same row (%s)", rows[a[0]].what)
	default:
		return fmt.Sprintf("it is in a row (%s) below it", rows[b[0]].what)
	}
}

func checkDiet(from, to string) string {
	for _, d := range diets {
		if within(from, d.dir) && !withinAny(to, d.imports) {
			return fmt.Sprintf("%s imports of this module only %s", d.dir, strings.Join(d.imports, ", "))
		}
	}
	return ""
}

func checkLeaf(from string) string {
	if in := rowsOf(from); len(in) == 1 && in[0] < leafRows {
		return "a leaf imports the standard library only"
	}
	return ""
}

func checkDoor(from, imported string) string {
	for _, d := range doors {
		if within(imported, d.imported) && !withinAny(from, d.only) {
			return "allowed only under " + strings.Join(d.only, ", ")
		}
	}
	return ""
}

// rowsOf returns the rows that name a directory: one, or the table is wrong.
func rowsOf(dir string) []int {
	var found []int
	for i, r := range rows {
		if slices.ContainsFunc(r.packages, func(pattern string) bool {
			matched, err := path.Match(pattern, dir)
			return matched && err == nil
		}) {
			found = append(found, i)
		}
	}
	return found
}

// within says whether p is parent or below it; "parent/." is parent alone.
func within(p, parent string) bool {
	return p == strings.TrimSuffix(parent, "/.") || strings.HasPrefix(p, parent+"/")
}

func withinAny(p string, parents []string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool { return within(p, parent) })
}
