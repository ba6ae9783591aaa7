package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/wr-build/wr/host/pyscan"
)

// pytestWithReport is pytest with the report that everybody's CI reads. Like wr
// it leaves nothing else in the workspace.
var pytestWithReport = []string{"pytest", "--rootdir=.", "-p", "no:cacheprovider", "--junitxml=junit.xml"}

// example: the main job beside the loop that teams write today.
func (b *bench) example() contest {
	const guest = "test_numpy_is_there_in_the_container_of_the_optimizer" // of the root's tests
	var loop strings.Builder
	loop.WriteString("set -e\n")
	for _, run := range []struct{ project, pytest, args string }{
		{".", "pytest", "--ignore=infra --ignore=optimizer --ignore=apps -k 'not " + guest + "'"},
		{"optimizer", "pytest", "/app/test/test_isolation.py::" + guest},
		{"optimizer", "pytest", ""},
		{"apps/web", "enter python3 -m pytest", "--ignore=test/test_e2e.py"}, // ctr knows no ENTRYPOINT; two tests more are for wr alone
	} {
		fmt.Fprintf(&loop, "%s %s --rootdir=. -p no:cacheprovider %s\n", quoted(b.ctrRun(b.acme, run.project)), run.pytest, run.args)
	}
	return contest{title: "tests of examples/acme", rounds: 7, subjects: []subject{
		{name: "shell loop of ctr run ... pytest", command: command{argv: []string{"sh", "-c", loop.String()}}},
		{name: "wr test --recursive", command: b.wrTest(b.acme.dir, "", "--recursive", "--suite", "all")},
		{name: "wr test --recursive --fresh", command: b.wrTest(b.acme.dir, "", "--recursive", "--suite", "all", "--fresh")},
	}}
}

// wrTest is wr test in a workspace, which wants something to be said.
func (b *bench) wrTest(dir, wants string, args ...string) command {
	return command{dir: dir, argv: append([]string{b.wr, "test"}, args...), wants: wants}
}

// discovery: what tests are there?
func (b *bench) discovery() contest {
	dir := b.suites.discovery
	return contest{title: "discovery of 2,000 tests in 200 files", rounds: 7, subjects: []subject{
		{name: "pytest --collect-only -q, this machine's own", command: command{
			dir: dir, env: systemPython(), argv: []string{"python3", "-m", "pytest", "--collect-only", "-q"}, wants: "2000 tests collected",
		}},
		{name: "wr test --dry-run, all of the command", command: b.wrTest(dir, "", "--dry-run")},
		{name: "pyscan.Discover, in process", within: func(ctx context.Context) error { return discover(ctx, dir) }},
	}}
}

// systemPython is the environment in which python3 is the distribution's, which
// has a pytest.
func systemPython() []string { return append(os.Environ(), "PATH=/usr/bin:/bin:"+os.Getenv("PATH")) }

// discover does what pyscan is for, once.
func discover(ctx context.Context, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tree, err := pyscan.Discover(ctx, root.FS(), pyscan.Options{})
	if err != nil {
		return err
	}
	if n := len(tree.NodeIDs()); n != 2000 || len(tree.Reasons) > 0 {
		return fmt.Errorf("found %d tests, and %v", n, tree.Reasons)
	}
	return nil
}

// eightProjects: many projects, whose containers run side by side.
func (b *bench) eightProjects() contest {
	w := b.suites.eight
	var loop strings.Builder
	loop.WriteString("set -e\n")
	for p := range 8 {
		loop.WriteString(quoted(b.ctrRun(w, fmt.Sprintf("p%d", p), pytestWithReport...)) + "\n")
	}
	return contest{title: "tests of 8 projects", rounds: 7, subjects: []subject{
		{name: "shell loop of ctr run ... pytest --junitxml", command: command{argv: []string{"sh", "-c", loop.String()}, wants: "20 passed"}},
		{name: "wr test --recursive", command: b.wrTest(w.dir, "all passed, 160 tests", "--recursive")},
		{name: "wr test --recursive --fresh", command: b.wrTest(w.dir, "all passed, 160 tests", "--recursive", "--fresh")},
	}}
}

// twoHundred: what a project's tests cost besides pytest.
func (b *bench) twoHundred() contest {
	w := b.suites.twoHundred
	return contest{title: "200 tests of one project", subjects: []subject{
		{name: "runc run ... pytest --junitxml, bundle prepared (floor)", command: command{argv: b.runcRun(w), wants: "200 passed"}},
		{name: "ctr run --rm ... pytest --junitxml", command: command{argv: b.ctrRun(w, ".", pytestWithReport...), wants: "200 passed"}},
		{name: "wr test", command: b.wrTest(w.dir, "all passed, 200 tests")},
		{name: "wr test --fresh", command: b.wrTest(w.dir, "all passed, 200 tests", "--fresh")},
	}}
}

// fiveThousand: what following and reporting the tests costs.
func (b *bench) fiveThousand() contest {
	w := b.suites.fiveThousand
	return contest{title: "5,000 tests of one project", rounds: 7, subjects: []subject{
		{name: "wr exec -- pytest --junitxml", command: command{dir: w.dir, argv: append([]string{b.wr, "exec", "--"}, pytestWithReport...), wants: "5000 passed"}},
		{name: "wr test", command: b.wrTest(w.dir, "all passed, 5000 tests")},
		{name: "runc run ... pytest --junitxml, bundle prepared", command: command{argv: b.runcRun(w), wants: "5000 passed"}},
	}}
}
