package hook

import (
	"context"
	"slices"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Linter is a Plugin that looks at the files of one project: a lint.Tool.
type Linter struct {
	Plugin  *Plugin
	Project string // its path
}

// Lint returns what the plugin says of files. One that only formats says which of
// them are not as it would have them.
func (l Linter) Lint(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
	if l.Plugin.config.Manifest.Provides.Lint == nil {
		return l.unformatted(ctx, files)
	}
	all, err := l.Plugin.Lint(ctx, l.params(files))
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if err := l.judge(files, d); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Format returns the edits that make files what they should be.
func (l Linter) Format(ctx context.Context, files []string) ([]abi.Edit, error) {
	edits, err := l.Plugin.Format(ctx, l.params(files))
	if err != nil {
		return nil, err
	}
	return edits, l.judgeEdits(files, edits)
}

func (l Linter) params(files []string) abi.LintParams {
	return abi.LintParams{Work: abi.Work{Project: l.Project}, Files: files}
}

// unformatted are the files that Format would change.
func (l Linter) unformatted(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
	edits, err := l.Format(ctx, files)
	var all []abi.Diagnostic
	for i, e := range edits {
		if i > 0 && edits[i-1].File == e.File {
			continue
		}
		all = append(all, abi.Diagnostic{
			File: e.File, Severity: abi.SeverityError, Rule: "format",
			Message: "is not formatted: wr lint --fix does it",
		})
	}
	return all, err
}

// judge says what is wrong with a diagnostic: it must be of a file that was asked
// about.
func (l Linter) judge(files []string, d abi.Diagnostic) error {
	if !slices.Contains(files, d.File) {
		return l.Plugin.lie("says something of %q, about which it was not asked", d.File)
	}
	if err := l.Plugin.judge(d); err != nil {
		return err
	}
	for _, fix := range d.Fixes {
		if err := l.judgeEdits(files, fix.Edits); err != nil {
			return err
		}
	}
	return nil
}

func (l Linter) judgeEdits(files []string, edits []abi.Edit) error {
	for _, e := range edits {
		switch {
		case !slices.Contains(files, e.File):
			return l.Plugin.lie("wants to edit %q, about which it was not asked", e.File)
		case e.Start < 0 || e.End < e.Start:
			return l.Plugin.lie("wants to edit the bytes from %d to %d of %s", e.Start, e.End, e.File)
		}
	}
	return nil
}
