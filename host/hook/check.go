package hook

import (
	"context"
	"fmt"
	"io/fs"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Check returns what the plugin says before or after something is done.
func (p *Plugin) Check(ctx context.Context, params abi.CheckParams) ([]abi.Diagnostic, error) {
	var r abi.CheckResult
	if _, err := p.ask(ctx, question{method: abi.MethodCheck, project: params.Project, params: params}, &r); err != nil {
		return nil, err
	}
	for _, d := range r.Diagnostics {
		if d.File != "" && !fs.ValidPath(d.File) {
			return nil, p.lie("says something of %q, which is no path of the workspace", d.File)
		}
		if err := p.judge(d); err != nil {
			return nil, err
		}
	}
	return r.Diagnostics, nil
}

// judge says what is wrong with a diagnostic, of whatever file it is.
func (p *Plugin) judge(d abi.Diagnostic) error {
	switch {
	case d.Severity != abi.SeverityError && d.Severity != abi.SeverityWarning && d.Severity != abi.SeverityInfo:
		return p.lie("says something of severity %q", d.Severity)
	case d.Range.Start.Line < 0 || d.Range.Start.Column < 0 || d.Range.End.Line < 0 || d.Range.End.Column < 0:
		return p.lie("says something of line %d, column %d of %s", d.Range.Start.Line, d.Range.Start.Column, d.File)
	}
	return nil
}

// lie is the fault of an answer that cannot be.
func (p *Plugin) lie(format string, args ...any) *fault.Error {
	f := p.fault(CodeProtocol, "it "+fmt.Sprintf(format, args...), nil)
	f.Next = tellAuthor
	return f
}
