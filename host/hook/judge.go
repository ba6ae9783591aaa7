package hook

import (
	"fmt"

	"github.com/wr-build/wr/sdk/go/abi"
)

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
func (p *Plugin) lie(format string, args ...any) error {
	f := p.fault(CodeProtocol, "it "+fmt.Sprintf(format, args...), nil)
	f.Next = "tell its author; `wr plugin check` shows what a plugin has to keep to"
	return f
}
