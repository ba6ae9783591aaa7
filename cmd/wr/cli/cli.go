// Package cli is wr's command line: the grammar, one file a command, and the
// one place where an error becomes words and an exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"github.com/wr-build/wr/host/plugin/builtin"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Process is what wr has from the operating system.
type Process struct {
	In, Out, Err *os.File
	LookupEnv    func(string) (string, bool)
	// Connect replaces the way to the engine; nil is the real one.
	Connect func(context.Context) (Engine, error)
	// PluginProgram replaces the program that runs plugins; "" is wr's own.
	PluginProgram string
	// Builtin replaces the plugins that wr carries; nil are those of this build.
	Builtin *builtin.Set
}

// Getenv returns a variable of the environment, "" when it is not set.
func (p Process) Getenv(name string) string {
	value, _ := p.LookupEnv(name)
	return value
}

// grammar is the whole command line.
type grammar struct {
	Globals

	Status statusCmd `cmd:"" default:"1" help:"What there is, what is ready, what to type next."`
	Init   initCmd   `cmd:"" help:"Add wr to this repository: minimal commented config, nothing overwritten."`
	New    newCmd    `cmd:"" help:"Make a new project with an image and a passing test."`
	Ls     lsCmd     `cmd:"" help:"List the projects of the workspace."`
	Build  buildCmd  `cmd:"" help:"Make the images of projects, unless they are up to date."`
	Shell  shellCmd  `cmd:"" help:"Open a shell in a project's container."`
	Exec   execCmd   `cmd:"" help:"Run a command in a project's container."`
	Run    runCmd    `cmd:"" help:"Run a task of a project in its container, or list the tasks."`
	Test   testCmd   `cmd:"" help:"Run the tests of projects, each in its own container."`
	Lint   lintCmd   `cmd:"" help:"Run the linters of projects on their files, and mend what they find."`

	Release  releaseCmd  `cmd:"" group:"more" help:"Show the steps of a release, which plugins give."`
	Report   reportCmd   `cmd:"" group:"more" help:"How a run of tests ended, and what differs between two."`
	Why      whyCmd      `cmd:"" group:"more" help:"Why tests ran, or were told from the cache."`
	Replay   replayCmd   `cmd:"" group:"more" help:"Repeat a run of tests: same images, cases, order and limits."`
	Notebook notebookCmd `cmd:"" group:"more" help:"Start Jupyter in a project's container, or find it again."`
	Ps       psCmd       `cmd:"" group:"more" help:"The containers that are kept or in use."`
	Stats    statsCmd    `cmd:"" group:"more" help:"What the containers of a project use: processors, memory, processes."`
	Logs     logsCmd     `cmd:"" group:"more" help:"What the ENTRYPOINT and the last tests of a project printed."`
	Stop     stopCmd     `cmd:"" group:"more" help:"Remove containers that are kept."`
	Gc       gcCmd       `cmd:"" group:"more" help:"Remove what wr made and nobody needs, and keep to a budget."`
	Plugin   pluginCmd   `cmd:"" group:"more" help:"Plugins: linters, formatters, tasks and more that run in a sandbox."`
	Hooks    hooksCmd    `cmd:"" group:"more" help:"Run linters before git commits."`
	Image    imageCmd    `cmd:"" group:"more" help:"Images and their bases."`
	Engine   engineCmd   `cmd:"" group:"more" help:"The process that builds and runs containers."`
	Doctor   doctorCmd   `cmd:"" group:"more" help:"What this machine lacks to run containers, and the command that mends it."`
	Config   configCmd   `cmd:"" group:"more" help:"About wr.toml."`
	Version  versionCmd  `cmd:"" group:"more" help:"Versions of wr and of what is built into it."`

	Completion completionCmd `cmd:"" group:"more" help:"How to have bash, zsh or fish complete wr's commands and projects."`
}

// Globals are the flags that every command takes.
type Globals struct {
	Directory string `short:"C" placeholder:"DIR" help:"Work as if started in DIR."`
	Jobs      int    `short:"j" placeholder:"N" help:"Containers at once; default: one a core."`
	JSON      bool   `name:"json" help:"Results as JSON on stdout."`
	DryRun    bool   `help:"Show what would be done and do nothing."`
	Locked    bool   `aliases:"frozen" help:"Fail rather than change wr.lock: a base image that it has no digest of, a plugin. What plugins are, CI never changes without --locked=false."`
	Quiet     bool   `short:"q" help:"Only failures and results."`
	Verbose   int    `short:"v" type:"counter" help:"More words, such as a line for each test; twice: what wr itself does."`
	Color     string `enum:"auto,always,never" default:"auto" help:"auto, always or never."`

	ShowVersion versionFlag `name:"version" help:"Print the version."`
}

// app is one invocation of wr. It is what every command receives.
type app struct {
	Process
	Globals
	dir  string   // absolute host path wr works in
	args []string // as typed
	name string   // of the command, as far as it is known
	rest []string // everything after "--"; nil when there was none

	tracing *tracing // of a plugin; nil = none
	log     zerolog.Logger

	own    manifest.Words // commands and flags that wr has itself
	parsed *kong.Context  // what args mean to the grammar
}

// exit ends wr with the code of a command that ran, saying nothing more.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Main runs wr with args and returns its exit code.
func Main(ctx context.Context, args []string, p Process) int {
	if sandbox.IsChild(args) {
		return p.hostPlugin(ctx)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Why: the first Ctrl-C ends the run in order, the second ends wr at once.
	context.AfterFunc(ctx, stop)

	a := &app{Process: p, args: args, log: zerolog.Nop()}
	a.collectGarbage(400)
	return a.end(ctx, a.run(ctx, args))
}

// end says err, if nobody has, and returns the exit code.
func (a *app) end(ctx context.Context, err error) int {
	if code := exit(0); errors.As(err, &code) {
		return int(code)
	}
	if err == nil {
		return 0
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = &fault.Error{Code: "wr.interrupted", Message: "interrupted"}
		a.report(err)
		return 130
	}
	a.report(err)
	return a.exitCode(fault.Of(err))
}

// collectGarbage lets the heap grow by percent before the next collection,
// unless the user's GOGC says otherwise. Why: most commands end before their
// garbage is worth collecting, and at Go's own 100 the first collection falls
// into the start and costs a tenth of it. The engine stays and goes back to 100.
func (p Process) collectGarbage(percent int) {
	if p.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// run parses args and runs the command they name.
func (a *app) run(ctx context.Context, args []string) error {
	if i := slices.Index(args, "--"); i >= 0 {
		args, a.rest = args[:i], append([]string{}, args[i+1:]...)
	}
	var g grammar
	ended := -1
	parser, err := a.parser(ctx, &g, args, kong.Exit(func(code int) { ended = code }))
	if err != nil {
		return err
	}
	if asked, err := a.complete(ctx, parser); asked {
		return err // a shell has been told what could come next
	}
	if args, err = a.modern(args, parser.Model); err != nil {
		return err
	}
	k, err := parser.Parse(args)
	if ended >= 0 {
		return exit(ended) // --help or --version has been printed
	}
	a.Globals = g.Globals
	if parse, ok := errors.AsType[*kong.ParseError](err); ok {
		k = parse.Context
	}
	if k != nil {
		a.name, _, _ = strings.Cut(k.Command(), " ")
	}
	if err != nil {
		return usage(err)
	}
	if err := a.prepare(); err != nil {
		return err
	}
	a.parsed = k
	return a.carryOut(ctx, k.Selected().Target.Addr().Interface())
}

// parser is one of the grammar, with the tasks of plugins where args may be about them.
func (a *app) parser(ctx context.Context, g *grammar, args []string, exit kong.Option) (*kong.Kong, error) {
	all := append(options(), kong.Writers(a.Out, a.Err), exit)
	parser, err := kong.New(g, all...)
	if err != nil {
		return nil, wrongGrammar(err)
	}
	a.own = ownWords(parser.Model)
	if line := a.Getenv("COMP_LINE"); line != "" {
		args, _ = completed(line, a.Getenv("COMP_POINT"))
	}
	tasks, err := a.tasksFor(ctx, args, parser.Model)
	if err != nil || len(tasks) == 0 {
		return parser, err
	}
	if parser, err = kong.New(g, append(all, withTasks(tasks)...)...); err != nil {
		return nil, wrongGrammar(err)
	}
	return parser, nil
}

func wrongGrammar(err error) error {
	return &fault.Error{Code: "cli.grammar", Class: fault.Bug, Message: err.Error(), Err: err}
}

// prepare turns the global flags into what commands use.
func (a *app) prepare() error {
	dir, err := filepath.Abs(a.Directory)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return &fault.Error{Code: "cli.no_directory", Class: fault.Usage, Message: fmt.Sprintf("-C %s: no such directory", a.Directory)}
	}
	// Why: a workspace's root is known without symbolic links, and where wr was
	// started must lie below it however one got there.
	if a.dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	if a.Verbose >= 2 {
		a.log = zerolog.New(zerolog.ConsoleWriter{Out: a.Err, NoColor: !a.style(a.Err).Color}).With().Timestamp().Logger()
	}
	return nil
}

// options are how wr speaks kong.
func options() []kong.Option {
	return []kong.Option{
		kong.Name("wr"),
		kong.Description("Build, run and test the many containers of a repository.\n\nPROJECT is a path, a unique last part of one, or a configured name; without one it is the nearest project above the current directory."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{{Key: "more", Title: "More:"}, {Key: taskGroup, Title: "Tasks of plugins:"}}),
		kong.DefaultEnvars("WR"),
		kong.Vars{"version": "wr " + Version()},
	}
}

// usage turns a complaint of the parser into a fault.
func usage(err error) error {
	next := []string{"wr"}
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		for _, step := range wrong.Context.Path {
			if step.Command != nil {
				next = append(next, step.Command.Name)
			}
		}
	}
	return &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: err.Error(), Next: strings.Join(append(next, "--help"), " "), Err: err}
}

// report says err on stderr, or as JSON on stdout.
func (a *app) report(err error) {
	if a.JSON {
		_ = a.printJSON(map[string]any{"error": fault.Of(err)})
		return
	}
	for _, f := range faults(err) {
		fmt.Fprint(a.Err, a.style(a.Err).Fault(f))
	}
}

// faults lists every fault in err, which may be several joined. Why joined
// ones first: errors.As would find the first of them and lose the others.
func faults(err error) []*fault.Error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []*fault.Error{fault.Of(err)}
	}
	var all []*fault.Error
	for _, e := range joined.Unwrap() {
		all = append(all, faults(e)...)
	}
	return all
}

// exitCode is the code of design section 10 for a fault. The commands that
// pass on a container's code keep 125 to 127 for wr's own failures.
func (a *app) exitCode(f *fault.Error) int {
	if a.name == "exec" || a.name == "shell" || a.name == "run" {
		return ownCode(f)
	}
	switch f.Class {
	case fault.Usage:
		return 2
	case fault.Failed:
		return 1
	case fault.Bug:
		return 4
	case fault.Environment:
	}
	return 3
}

// ownCode is what docker, podman, env and timeout say when it was not the
// command that failed.
func ownCode(f *fault.Error) int {
	switch {
	case f.Class == fault.Bug:
		return 4
	case f.Code == "exec.not_found":
		return 127
	case f.Code == "exec.not_executable":
		return 126
	case f.Code == spec.LimitTimeout:
		return 124
	default:
		return 125
	}
}
