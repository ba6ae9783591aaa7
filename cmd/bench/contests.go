package main

import (
	"context"
	"strings"
)

// contests lists what is measured.
func (b *bench) contests() []contest {
	return []contest{
		b.start(), b.engine(), b.build(), b.steps(), b.export(), b.kept(), b.fresh(), b.parallel(),
		b.example(), b.discovery(), b.eightProjects(), b.twoHundred(), b.fiveThousand(),
		b.nothingChanged(10, 1), b.nothingChanged(200, 0.5),
	}
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
		{name: "wr engine up, after kill -9, kept containers taken over", before: b.killEngine, command: command{argv: []string{b.wr, "engine", "up"}}},
	}}
}

// build: an image that is up to date.
func (b *bench) build() contest {
	return contest{title: "build of an unchanged image with 300 files", subjects: []subject{
		{name: "stat of the files (find -newer)", command: command{dir: b.large, argv: []string{"find", ".", "-newer", "wr.toml"}}},
		{name: "wr build", command: command{dir: b.large, argv: []string{b.wr, "build"}}},
	}}
}

// kept: `true` in a container that is there already.
func (b *bench) kept() contest {
	stop := func(ctx context.Context) error {
		return command{dir: acme, argv: []string{b.wr, "stop", "--all"}}.run(ctx)
	}
	c := contest{title: "`true` in a kept container", subjects: []subject{
		{name: "a Go program that prints hello (floor)", command: command{argv: []string{b.hello}}},
		{name: "wr exec -- true, the container made first", before: stop, command: command{dir: acme, argv: []string{b.wr, "exec", "--", "true"}}},
		{name: "wr exec -- true", command: command{dir: acme, argv: []string{b.wr, "exec", "--", "true"}}},
	}}
	if b.docker != "" {
		c.subjects = append(c.subjects, subject{
			name:    "docker exec",
			command: command{env: b.dockerEnv(), argv: []string{b.dockerProgram("docker"), "exec", "kept", "true"}},
		})
	}
	return c
}

// parallel: twenty containers at once.
func (b *bench) parallel() contest {
	twenty := func(args ...string) []string {
		return []string{"sh", "-c", "for i in $(seq 20); do " + quoted(args) + " & done; wait"}
	}
	c := contest{title: "`true` in 20 fresh containers at once", rounds: 7, subjects: []subject{
		{name: "wr exec --fresh -- true", command: command{dir: acme, argv: twenty(b.wr, "exec", "--fresh", "--", "true")}},
	}}
	if b.docker != "" {
		c.subjects = append(c.subjects, subject{
			name:    "docker run --rm --network host",
			command: command{env: b.dockerEnv(), argv: twenty(b.dockerProgram("docker"), "run", "--rm", "--network", "host", "acme", "true")},
		})
	}
	return c
}

// fresh: `true` in a container that is made for it and removed.
func (b *bench) fresh() contest {
	c := contest{title: "`true` in a fresh container", subjects: []subject{
		{name: "runc run, bundle prepared (floor)", command: command{argv: b.runcRun(b.acme)}},
		{name: "wr exec --fresh -- true", command: command{dir: acme, argv: []string{b.wr, "exec", "--fresh", "--", "true"}}},
		{name: "ctr run --rm", command: command{argv: b.ctrRun(b.acme, ".", "true")}},
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

// quoted is a command line that a shell splits into args again.
func quoted(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
