package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// nothingChanged: all tests of many projects of ten files each, of which nothing
// changed since they passed, beside those who do nothing for as many projects.
// most is how often turbo's time wr may take.
func (b *bench) nothingChanged(projects int, most float64) contest {
	return contest{
		title: fmt.Sprintf("tests of %d projects, nothing changed", projects),
		prepare: func(ctx context.Context) ([]subject, []goal, error) {
			return b.makeUnchangedTests(ctx, projects, most)
		},
	}
}

func (b *bench) makeUnchangedTests(ctx context.Context, projects int, most float64) ([]subject, []goal, error) {
	// Why two: peers write into theirs, and wr takes that for a change.
	dir := filepath.Join(b.dir, fmt.Sprintf("unchanged-%d", projects))
	peers := dir + "-peers"
	if err := errors.Join(commit(ctx, dir, unchangedFiles(projects)), commit(ctx, peers, unchangedFiles(projects))); err != nil {
		return nil, nil, err
	}
	subjects := []subject{{name: "wr test --recursive --cache on", command: b.wrTest(dir, fmt.Sprintf("%d of %d projects cached", projects, projects), "--recursive", "--cache", "on")}}
	if there("ninja") {
		subjects = append(subjects, subject{name: "ninja, nothing to do (floor)", command: command{dir: peers, argv: []string{"ninja"}, wants: "no work to do"}})
	}
	var goals []goal
	if b.turbo != "" {
		goals = []goal{{0, len(subjects), most}}
		subjects = append(subjects, subject{name: "turbo run test, all cached", command: command{
			dir: peers, env: append(os.Environ(), "TURBO_TELEMETRY_DISABLED=1"), argv: []string{b.turbo, "run", "test"}, wants: "FULL TURBO",
		}})
	}
	for _, s := range subjects {
		s.wants = "" // the first time there is something to do
		if err := s.run(ctx); err != nil {
			return nil, nil, err
		}
	}
	return subjects, goals, nil
}

// commit makes a repository of files.
func commit(ctx context.Context, dir string, files map[string]string) error {
	err := write(dir, files)
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=bench", "-c", "user.email=bench@localhost", "commit", "-qm", "files"}} {
		if err == nil {
			err = command{dir: dir, argv: append([]string{"git"}, args...)}.run(ctx)
		}
	}
	return err
}

// there reports whether a program is on this machine.
func there(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// unchangedFiles are projects of ten files for wr, for turbo and for ninja.
func unchangedFiles(projects int) map[string]string {
	var edges strings.Builder
	edges.WriteString("rule test\n  command = touch $out\n")
	files := map[string]string{
		"wr.toml":           "[workspace]\nname = \"unchanged\"\n",
		"package.json":      `{"name": "unchanged", "private": true, "packageManager": "npm@10.0.0", "workspaces": ["p*"]}`,
		"package-lock.json": `{"name": "unchanged", "lockfileVersion": 3, "packages": {}}`,
		"turbo.json":        `{"tasks": {"test": {}}}`,
		".gitignore":        ".turbo\nnode_modules\n*.stamp\n.ninja_*\n.wr\n",
	}
	for p := range projects {
		name := fmt.Sprintf("p%03d", p)
		files[name+"/devops/Dockerfile"] = "FROM acme/python\n"
		files[name+"/package.json"] = fmt.Sprintf(`{"name": %q, "version": "1.0.0", "scripts": {"test": "true"}}`, name)
		fmt.Fprintf(&edges, "build %s.stamp: test", name)
		for f := range 10 {
			file := fmt.Sprintf("%s/test/test_%s_%d.py", name, name, f)
			files[file] = "def test():\n    pass\n"
			edges.WriteString(" " + file)
		}
		edges.WriteString("\n")
	}
	files["build.ninja"] = edges.String()
	return files
}
