package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unchanged is a lint of which everything is known: by three plugins that wr
// carries, and two as `wr plugin new` makes them.
func (b *bench) unchanged(ctx context.Context) ([]subject, []goal, error) {
	dir := filepath.Join(b.dir, "unchanged")
	env := append(os.Environ(), "WR_CACHE_DIR="+filepath.Join(b.dir, "cache"))
	wr := func(args ...string) command {
		return command{dir: dir, env: env, argv: append([]string{b.wr}, args...), exit: 1}
	}
	if err := b.makeUnchanged(ctx, dir, env); err != nil {
		return nil, nil, err
	}
	known := wr("lint", "-r")
	if err := known.run(ctx); err != nil {
		return nil, nil, err
	}
	// A plugin that was started all the same would have to be compiled, and say so.
	if err := os.RemoveAll(filepath.Join(b.dir, "cache", "compiled")); err != nil {
		return nil, nil, err
	}
	known.wants, known.never = "by 5 linters", "compiling"
	return []subject{
		{name: "stat of the files (find -newer)", command: command{dir: dir, argv: []string{"find", ".", "-newer", "wr.toml", "-path", "./.git", "-prune"}}},
		{name: "git ls-files", command: command{dir: dir, argv: []string{"git", "ls-files", "-z"}}},
		{name: "wr version", command: wr("version")},
		{name: "wr lint", command: known},
	}, []goal{{3, 3, 60}}, nil
}

// makeUnchanged writes the workspace, and adds the plugins.
func (b *bench) makeUnchanged(ctx context.Context, dir string, env []string) error {
	files := map[string]string{
		"wr.toml":        "[workspace]\n[project]\n",
		"pyproject.toml": "[project]\nname = \"unchanged\"\nversion = \"1\"\n",
	}
	for _, c := range []struct {
		from corpus
		most int
	}{{b.plugins.dockerfiles, 50}, {b.plugins.scripts, 50}, {b.plugins.tree, 900}} {
		for _, name := range c.from.names[:min(c.most, len(c.from.names))] {
			text, err := os.ReadFile(filepath.Join(c.from.dir, name))
			if err != nil {
				return err
			}
			files[filepath.Base(c.from.dir)+"/"+name] = string(text)
		}
	}
	if err := write(dir, files); err != nil {
		return err
	}
	steps := []command{
		{dir: dir, argv: []string{"git", "init", "-q"}},
		{dir: dir, argv: []string{"git", "add", "."}},
	}
	for _, name := range []string{"dockerfile", "py-deps", "shfmt"} {
		steps = append(steps, command{dir: dir, env: env, argv: []string{b.wr, "plugin", "add", name, "--yes", "--limit", "call=10m"}})
	}
	for n := range 2 {
		name := fmt.Sprintf("todo%d", n)
		made := filepath.Join(b.dir, name)
		steps = append(steps,
			command{dir: b.dir, argv: []string{b.wr, "plugin", "new", name}},
			command{dir: made, env: append(strings.Split("GOOS=wasip1 GOARCH=wasm GOFLAGS=", " "), os.Environ()...), argv: []string{"go", "build", "-o", name + ".wasm"}},
			command{dir: dir, env: env, argv: []string{b.wr, "plugin", "add", filepath.Join(made, name+".wasm"), "--yes"}},
		)
	}
	for _, step := range steps {
		if err := step.run(ctx); err != nil {
			return err
		}
	}
	return nil
}
