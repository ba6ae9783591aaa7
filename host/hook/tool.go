package hook

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// tool is how a program that knows nothing of wr is asked, by what its manifest
// says of it.
type tool struct {
	said         []byte // by the manifest, all of it
	root         string // where it sees the workspace
	lint, format program
}

// program is one way to call a tool.
type program struct {
	args  []string
	whole bool
	match match.Both
}

// files is what stands for the files of a call in the arguments of a tool.
const files = "{files}"

// newTool makes a tool of its manifest.
func newTool(m abi.Manifest) (*tool, error) {
	how := m.Tool
	if how == nil {
		return nil, errors.New("its manifest does not say how it is called")
	}
	findings, err := match.NewBoth(how.Output, how.Failure)
	if err != nil {
		return nil, err
	}
	edits, err := match.NewBoth(diff(how.Output), how.Failure)
	if err != nil {
		return nil, err
	}
	said, err := json.Marshal(how)
	if err != nil {
		return nil, err
	}
	t := &tool{
		said:   said,
		root:   cmp.Or(how.Root, abi.Source),
		lint:   program{args: how.Args, match: findings, whole: m.Provides.Lint != nil && m.Provides.Lint.Whole},
		format: program{args: how.FixArgs, match: edits, whole: m.Provides.Format != nil && m.Provides.Format.Whole},
	}
	switch {
	case len(how.FixArgs) == 0:
		t.format.args = how.Args // it prints diffs, which mend what they show
	case len(how.Args) == 0:
		t.lint = t.format
	}
	return t, nil
}

// text is all that the manifest says of the tool; a plugin that is none has none.
func (t *tool) text() []byte {
	if t == nil {
		return nil
	}
	return t.said
}

// diff is how output is read that says what files should be.
func diff(m abi.Matcher) abi.Matcher {
	if m.Format == match.Diff {
		return m
	}
	return abi.Matcher{Format: match.Diff, Rule: m.Rule, Message: m.Message, Severity: m.Severity, Clean: m.Clean, Found: m.Found}
}

// called are the arguments for files, which are absolute paths there.
func (t *tool) called(args, names []string) []string {
	var all []string
	for _, arg := range args {
		if arg != files {
			all = append(all, arg)
			continue
		}
		for _, name := range names {
			all = append(all, path.Join(t.root, name))
		}
	}
	return all
}

// path is the workspace path of what the tool calls name.
func (t *tool) path(name string) (string, bool) {
	if !path.IsAbs(name) {
		name = path.Join(t.root, name)
	}
	file, below := strings.CutPrefix(path.Clean(name), strings.TrimSuffix(t.root, "/")+"/")
	return file, below && file != ""
}

// plain is a text of the tool without the place where only it sees the workspace.
func (t *tool) plain(text string) string {
	if t.root == "/" {
		return text
	}
	return strings.ReplaceAll(text, t.root+"/", "")
}

// program is how the tool is called for a method.
func (t *tool) program(method string) program {
	if method == abi.MethodFormat {
		return t.format
	}
	return t.lint
}

// run asks a tool once. It gives diagnostics for either method: what mends is in
// their fixes. Why not as text: JSON has no words for files that are no UTF-8.
func (p *Plugin) run(ctx context.Context, q question) (given, error) {
	program := p.tool.program(q.method)
	calls := [][]string{q.files}
	if program.match.Single() {
		calls = slices.Collect(slices.Chunk(q.files, 1))
	}
	g := given{live: p.alwaysLive()}
	for _, names := range calls {
		more, asked, err := p.examine(ctx, program, names)
		if err != nil {
			return given{}, err
		}
		g.said, g.asked = append(g.said, more...), trace.Union(g.asked, asked)
	}
	return g, nil
}

// Single reports whether the plugin is started for each file by itself, since what
// it prints names none.
func (p *Plugin) Single() bool { return p.tool != nil && p.tool.lint.match.Single() }

// edits are those of all fixes.
func edits(said []abi.Diagnostic) []abi.Edit {
	var all []abi.Edit
	for _, d := range said {
		for _, fix := range d.Fixes {
			all = append(all, fix.Edits...)
		}
	}
	return all
}

// examine has a program look at files, and at those once more that it seems to have
// passed over.
func (p *Plugin) examine(ctx context.Context, how program, names []string) ([]abi.Diagnostic, trace.Trace, error) {
	out, err := p.execute(ctx, []string{"PWD=" + p.tool.root}, p.tool.called(how.args, names))
	if err != nil {
		return nil, trace.Trace{}, err
	}
	if out.cut && how.match.Stderr() {
		return nil, trace.Trace{}, p.ended(sandbox.End{Limit: "log"}, nil)
	}
	said, asked, err := p.understood(how.match, out, names)
	if err != nil {
		return nil, trace.Trace{}, p.failure(out, err)
	}
	left := passedOver(out, said, names)
	if how.whole || slices.Contains(how.match.Findings.Clean, out.exit) || len(left) == 0 || len(left) == len(names) {
		return said, asked, nil
	}
	more, askedMore, err := p.examine(ctx, how, left)
	return append(said, more...), trace.Union(asked, askedMore), err
}

// passedOver are the files that a tool neither read nor said anything of. One that
// found something in others may have failed on them and not said so in a way that
// its manifest knows; alone, its exit code tells.
func passedOver(out printed, said []abi.Diagnostic, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, read := out.notes.Trace.Answer(trace.Question{Path: name, Kind: trace.Read})
		return read || slices.ContainsFunc(said, func(d abi.Diagnostic) bool { return d.File == name })
	})
}

// understood is what a tool said of files, and all that it depends on.
func (p *Plugin) understood(how match.Both, out printed, names []string) (said []abi.Diagnostic, asked trace.Trace, err error) {
	dir, err := os.OpenRoot(p.config.Process.Root.Name())
	if err != nil {
		return nil, trace.Trace{}, err
	}
	defer dir.Close()
	seen, err := newSources(dir, p.config.View.Globs, names, out.notes.Trace)
	if err != nil {
		return nil, trace.Trace{}, err
	}
	defer func() { err = errors.Join(err, seen.tree.Close()) }()
	said, err = how.Read(match.Output{
		Exit: out.exit, Stdout: out.stdout, Stderr: out.stderr, File: names[0], Path: p.tool.path, Source: seen.read,
	})
	if err == nil {
		for i := range said {
			said[i].Message = strings.ToValidUTF8(p.tool.plain(said[i].Message), "\ufffd")
		}
	}
	asked = trace.Union(out.notes.Trace, seen.more.Take())
	if err != nil && seen.changed != "" {
		err = fmt.Errorf("%s was changed meanwhile", seen.changed)
	}
	return said, asked, err
}

// failure is the fault of a tool that did not do what it was to do.
func (p *Plugin) failure(out printed, why error) error {
	f := p.fault(CodeFailed, "it did not work: "+why.Error(), why)
	f.Details = match.Tail(p.tool.plain(details(string(out.stderr), string(out.stdout))))
	f.Next = "see what it says, and whether its manifest says how to read that: wr plugin inspect " + p.Name()
	return f
}
