package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// makeProjects writes a workspace of ten projects of ten files each.
func (b *bench) makeProjects(context.Context) error {
	b.project = filepath.Join(b.dir, "ten")
	files := map[string]string{"wr.toml": "[workspace]\nname = \"ten\"\n"}
	for p := range 10 {
		files[fmt.Sprintf("p%d/devops/Dockerfile", p)] = "FROM acme/python\n"
		for f := range 9 {
			files[fmt.Sprintf("p%d/test/test_%d.py", p, f)] = "def test():\n    pass\n"
		}
	}
	return write(b.project, files)
}

// makeLarge writes a project with 300 files in its image, and builds it.
func (b *bench) makeLarge(ctx context.Context) error {
	b.large = filepath.Join(b.dir, "large")
	files := map[string]string{
		"wr.toml":           "[workspace]\nname = \"large\"\n[project]\n",
		"devops/Dockerfile": "FROM acme/python\nCOPY src /src\n",
	}
	for f := range 300 {
		files[fmt.Sprintf("src/d%d/f%d.py", f%20, f)] = fmt.Sprintln("x =", f)
	}
	if err := write(b.large, files); err != nil {
		return err
	}
	return command{dir: b.large, argv: []string{b.wr, "build"}}.run(ctx)
}

// write makes files below dir.
func write(dir string, files map[string]string) error {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// built is a workspace whose images are there.
type built struct {
	dir    string            // absolute
	images map[string]string // project path -> image reference
}

// buildAcme makes the example's bases and images.
func (b *bench) buildAcme(ctx context.Context) (err error) {
	if err := (command{argv: []string{b.wr, "-C", acme, "image", "base", "create"}}).run(ctx); err != nil {
		return err
	}
	b.acme, err = b.buildAll(ctx, acme)
	return err
}

// buildAll makes the images of a workspace and learns their names.
func (b *bench) buildAll(ctx context.Context, dir string) (built, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return built{}, err
	}
	if err := (command{dir: dir, argv: []string{b.wr, "build", "--recursive"}}).run(ctx); err != nil {
		return built{}, err
	}
	out, err := exec.CommandContext(ctx, b.wr, "-C", dir, "build", "--recursive", "--dry-run", "--json").Output()
	if err != nil {
		return built{}, fmt.Errorf("wr build --dry-run: %w", err)
	}
	var plan struct {
		Actions []struct {
			Project string
			Build   struct{ Ref string }
		}
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		return built{}, err
	}
	w := built{dir, map[string]string{}}
	for _, a := range plan.Actions {
		w.images[a.Project] = a.Build.Ref
	}
	return w, nil
}
