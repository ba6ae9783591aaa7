package hook

import (
	"context"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Lint returns what the plugin says of files, and of how many that was kept.
func (p *Plugin) Lint(ctx context.Context, params abi.LintParams) (said []abi.Diagnostic, kept int, err error) {
	if p.tool != nil {
		return p.look(ctx, abi.MethodLint, params)
	}
	var r abi.LintResult
	a, err := p.ask(ctx, question{method: abi.MethodLint, project: params.Project, params: params}, &r)
	return r.Diagnostics, a.kept(params), err
}

// kept is of how many files of a call the answer was kept.
func (a answer) kept(params abi.LintParams) int {
	if a.Cached {
		return len(params.Files)
	}
	return 0
}

// Format returns the edits that make files what they should be, and of how many
// those were kept.
func (p *Plugin) Format(ctx context.Context, params abi.LintParams) (_ []abi.Edit, kept int, err error) {
	if p.tool != nil {
		said, kept, err := p.look(ctx, abi.MethodFormat, params)
		return edits(said), kept, err
	}
	var r abi.FormatResult
	a, err := p.ask(ctx, question{method: abi.MethodFormat, project: params.Project, params: params}, &r)
	return r.Edits, a.kept(params), err
}

// Discover returns what there is to be tested in a project.
func (p *Plugin) Discover(ctx context.Context, params abi.DiscoverParams) ([]abi.TestFile, error) {
	var r abi.DiscoverResult
	_, err := p.ask(ctx, question{method: abi.MethodDiscover, project: params.Project, params: params}, &r)
	return r.Files, err
}
