package scaffold

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
	sdk "github.com/wr-build/wr/sdk/go"
)

// pluginName is what a manifest takes as a name.
var pluginName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// pluginValues is what the templates of a plugin know.
type pluginValues struct {
	Name string
	Go   string // oldest version that builds it
	SDK  string // module
}

// The kinds of plugins that there are templates of.
const (
	LintPlugin = "lint"
	TaskPlugin = "task"
)

// Plugin plans a plugin of one of the kinds, written in Go, in the directory name,
// relative to dir: with its test, its manifest, and the SDK, so that it builds
// without a network.
func Plugin(dir, name, kind string) (Plan, error) {
	at := name
	if !filepath.IsAbs(at) {
		at = filepath.Join(dir, name)
	}
	if err := checkPlugin(at); err != nil {
		return Plan{}, err
	}
	v := pluginValues{Name: filepath.Base(at), Go: sdk.GoVersion, SDK: sdk.Module}
	plan := Plan{Root: existing(at)}
	below, err := filepath.Rel(plan.Root, at)
	if err != nil {
		return Plan{}, err
	}
	for _, file := range []struct{ path, template string }{
		{"go.mod", "go.mod.txt"},
		{"main.go", kind + "/main.go.txt"},
		{"main_test.go", kind + "/main_test.go.txt"},
		{v.Name + ".wasm.toml", kind + "/manifest.toml"},
		{"README.md", kind + "/README.md"},
		{"vendor/modules.txt", "modules.txt"},
	} {
		text, err := render("plugin/"+file.template, v)
		if err != nil {
			return Plan{}, err
		}
		plan.add(path.Join(filepath.ToSlash(below), file.path), text)
	}
	plan.add(path.Join(filepath.ToSlash(below), ignoreFile), "*.wasm\n")
	err = plan.vendor(path.Join(filepath.ToSlash(below), "vendor", sdk.Module))
	plan.sort()
	return plan, err
}

// checkPlugin says why a plugin cannot be made there.
func checkPlugin(at string) error {
	if name := filepath.Base(at); !pluginName.MatchString(name) {
		return &fault.Error{
			Code: "plugin.name_invalid", Class: fault.Usage,
			Message: "the name of a plugin is small letters, digits and hyphens, and begins with a letter: not " + name,
			Next:    "choose another directory",
		}
	}
	entries, err := os.ReadDir(at)
	if err == nil && len(entries) > 0 {
		return &fault.Error{
			Code: "scaffold.exists", Class: fault.Usage, Message: at + " is not empty",
			Next: "choose another directory; nothing was written",
		}
	}
	return nil
}

// existing is the nearest directory at or above a path that is there.
func existing(at string) string {
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			return at
		}
	}
	return at
}

// vendor adds the SDK's files, without its tests.
func (p *Plan) vendor(below string) error {
	return fs.WalkDir(sdk.Source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(sdk.Source, name)
		p.add(path.Join(below, name), string(text))
		return err
	})
}
