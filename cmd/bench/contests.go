package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// contests lists what is measured.
func (b *bench) contests() []contest {
	return []contest{b.start(), b.engine(), b.fresh(), b.tests()}
}

// start: how long wr takes to do next to nothing.
func (b *bench) start() contest {
	return contest{title: "start of the program", subjects: []subject{
		{name: "a Go program that prints hello", command: command{argv: []string{b.hello}}},
		{name: "wr --version", command: command{argv: []string{b.wr, "--version"}}},
		{name: "wr ls, 10 projects", command: command{dir: b.project, argv: []string{b.wr, "ls"}}},
	}}
}

// engine: from nothing to an engine that answers.
func (b *bench) engine() contest {
	down := func(ctx context.Context) error {
		return command{argv: []string{b.wr, "engine", "down"}}.run(ctx)
	}
	return contest{title: "engine", subjects: []subject{
		{name: "wr engine up, already up", command: command{argv: []string{b.wr, "engine", "up"}}},
		{name: "wr engine up, from nothing to ready", before: down, command: command{argv: []string{b.wr, "engine", "up"}}},
	}}
}

// fresh: `true` in a container that is made for it and removed.
func (b *bench) fresh() contest {
	bundle := filepath.Dir(b.rootfs)
	c := contest{title: "`true` in a fresh container", subjects: []subject{
		{name: "runc run, bundle prepared (floor)", command: command{argv: []string{"runc", "--root", filepath.Join(b.dir, "runc"), "run", "--bundle", bundle, "wr-bench"}}},
		{name: "wr exec -- true", command: command{dir: acme, argv: []string{b.wr, "exec", "--", "true"}}},
		{name: "ctr run --rm", command: command{argv: b.ctrRun(".", "true")}},
	}}
	if b.docker != "" {
		for _, network := range []string{"host", "none"} {
			c.subjects = append(c.subjects, subject{
				name:    "docker run --rm --network " + network,
				command: command{env: b.dockerEnv(), argv: []string{b.dockerProgram("docker"), "run", "--rm", "--network", network, "acme", "true"}},
			})
		}
	}
	return c
}

// ctrRun runs args in a fresh container of a project, as a shell script would.
func (b *bench) ctrRun(project string, args ...string) []string {
	root, err := filepath.Abs(acme)
	if err != nil {
		root = acme
	}
	return append(b.onEngine("run", "--rm", "--net-host", "--runtime", b.status.Helpers.Shim.Path,
		"--mount", "type=bind,src="+root+",dst=/app,options=rbind:rw", "--cwd", filepath.Join("/app", project),
		"--env", "PYTHONPATH=/app:"+filepath.Join("/app", project), "--env", "PYTHONDONTWRITEBYTECODE=1", "--env", "GREETING=welcome",
		b.images[project], "wr-bench-"+strings.NewReplacer("/", "-", ".", "root").Replace(project)), args...)
}

// tests: the main job beside the loop that teams write today.
func (b *bench) tests() contest {
	var loop strings.Builder
	loop.WriteString("set -e\n")
	for _, project := range []struct{ path, ignore string }{
		{".", "--ignore=infra --ignore=optimizer --ignore=apps"}, {"optimizer", ""}, {"apps/web", ""},
	} {
		fmt.Fprintf(&loop, "%s pytest --rootdir=. -p no:cacheprovider %s\n", quoted(b.ctrRun(project.path)), project.ignore)
	}
	return contest{title: "tests of examples/acme", rounds: 7, subjects: []subject{
		{name: "shell loop of ctr run ... pytest", command: command{argv: []string{"sh", "-c", loop.String()}}},
		{name: "wr test --recursive", command: command{argv: []string{b.wr, "-C", acme, "test", "--recursive"}}},
	}}
}

// quoted is a command line that a shell splits into args again.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
