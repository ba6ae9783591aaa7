package hook

import (
	"context"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Lint returns what the plugin says of files.
func (p *Plugin) Lint(ctx context.Context, params abi.LintParams) ([]abi.Diagnostic, error) {
	if p.tool != nil {
		return p.look(ctx, abi.MethodLint, params)
	}
	var r abi.LintResult
	_, err := p.ask(ctx, question{method: abi.MethodLint, project: params.Project, params: params}, &r)
	return r.Diagnostics, err
}

// Format returns the edits that make files what they should be.
func (p *Plugin) Format(ctx context.Context, params abi.LintParams) ([]abi.Edit, error) {
	if p.tool != nil {
		said, err := p.look(ctx, abi.MethodFormat, params)
		return edits(said), err
	}
	var r abi.FormatResult
	_, err := p.ask(ctx, question{method: abi.MethodFormat, project: params.Project, params: params}, &r)
	return r.Edits, err
}

// Discover returns what there is to be tested in a project.
func (p *Plugin) Discover(ctx context.Context, params abi.DiscoverParams) ([]abi.TestFile, error) {
	var r abi.DiscoverResult
	_, err := p.ask(ctx, question{method: abi.MethodDiscover, project: params.Project, params: params}, &r)
	return r.Files, err
}

// Task runs a task of the plugin. out are the files that it wrote, by path below
// the workspace's root.
func (p *Plugin) Task(ctx context.Context, params abi.TaskParams) (r abi.TaskResult, out map[string][]byte, err error) {
	a, err := p.ask(ctx, question{method: abi.MethodTask, project: params.Project, params: params}, &r)
	return r, a.Out, err
}
