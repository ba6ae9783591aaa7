package hook

import (
	"cmp"
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
func (l Linter) Lint(ctx context.Context, files []string) (_ []abi.Diagnostic, kept int, err error) {
	if l.Plugin.config.Manifest.Provides.Lint == nil && l.Plugin.tool == nil {
		return l.unformatted(ctx, files)
	}
	all, kept, err := l.Plugin.Lint(ctx, l.params(files))
	if err != nil {
		return nil, 0, err
	}
	for _, d := range all {
		if err := l.judge(files, d); err != nil {
			return nil, 0, err
		}
	}
	return all, kept, nil
}

// Format returns the edits that make files what they should be.
func (l Linter) Format(ctx context.Context, files []string) ([]abi.Edit, error) {
	edits, _, err := l.format(ctx, files)
	return edits, err
}

func (l Linter) format(ctx context.Context, files []string) (edits []abi.Edit, kept int, err error) {
	edits, kept, err = l.Plugin.Format(ctx, l.params(files))
	if err != nil {
		return nil, 0, err
	}
	return edits, kept, l.judgeEdits(files, edits)
}

func (l Linter) params(files []string) abi.LintParams {
	return abi.LintParams{Work: abi.Work{Project: l.Project}, Files: files}
}

// unformatted are the files that Format would change.
func (l Linter) unformatted(ctx context.Context, files []string) (all []abi.Diagnostic, kept int, err error) {
	edits, kept, err := l.format(ctx, files)
	for i, e := range edits {
		if i > 0 && edits[i-1].File == e.File {
			continue
		}
		all = append(all, abi.Diagnostic{
			File: e.File, Severity: abi.SeverityError, Rule: "format",
			Message: "is not formatted: wr lint --fix does it",
		})
	}
	return all, kept, err
}

// judge says what is wrong with a diagnostic: it must be of a file that was asked
// about.
func (l Linter) judge(files []string, d abi.Diagnostic) error {
	if d.File == "" {
		return l.Plugin.lie("says something of what is no file here: %s", d.Message)
	}
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
	return l.judgeOrder(edits)
}

// judgeOrder says which two edits are of the same bytes.
func (l Linter) judgeOrder(edits []abi.Edit) error {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b abi.Edit) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	for i := range edits[min(1, len(edits)):] {
		if a, b := edits[i], edits[i+1]; a.File == b.File && b.Start < a.End {
			return l.Plugin.lie("wants to edit the bytes from %d to %d of %s twice", b.Start, min(a.End, b.End), a.File)
		}
	}
	return nil
}
