package match

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/wr-build/wr/sdk/go/abi"
)

// diff has a diagnostic for each hunk of a unified diff, with what would mend it.
// That is safe: who prints a diff is a formatter.
func (r *reading) diff() ([]abi.Diagnostic, error) {
	files, _, err := gitdiff.Parse(bytes.NewReader(r.text()))
	if err != nil {
		return nil, fmt.Errorf("read as a unified diff: %w", err)
	}
	var all []abi.Diagnostic
	for _, f := range files {
		file, err := r.diffed(f)
		if err != nil {
			return nil, err
		}
		if f.IsBinary || f.IsNew || f.IsDelete || len(f.TextFragments) == 0 {
			return nil, fmt.Errorf("the diff of %s is not one of the lines of a file", file)
		}
		s := r.source(file)
		if s == nil {
			return nil, fmt.Errorf("%s cannot be read, of which there is a diff", file)
		}
		for _, hunk := range f.TextFragments {
			d, err := r.hunk(file, s, hunk)
			if err != nil {
				return nil, err
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// diffed is the file that a diff is of. The prefixes a/ and b/ are taken off where
// there is no file with them.
func (r *reading) diffed(f *gitdiff.File) (string, error) {
	for _, name := range []string{f.OldName, f.NewName} {
		_, bare, _ := strings.Cut(name, "/")
		for _, candidate := range []string{name, bare} {
			if file, ok := r.Path(candidate); ok && candidate != "" && r.source(file) != nil {
				return file, nil
			}
		}
	}
	return "", fmt.Errorf("there is a diff of %q, which is no file here", cmp.Or(f.OldName, f.NewName))
}

// hunk is the diagnostic of a hunk: of the lines that it changes, without those
// around them.
func (r *reading) hunk(file string, s *source, h *gitdiff.TextFragment) (abi.Diagnostic, error) {
	var old, changed strings.Builder
	for _, line := range h.Lines {
		if line.Op != gitdiff.OpAdd {
			old.WriteString(line.Line)
		}
	}
	first := int(h.OldPosition)
	if h.OldLines == 0 {
		first++ // as diff counts where there are none
	}
	if first < 1 || first > len(s.lines)+1 {
		return abi.Diagnostic{}, fmt.Errorf("the diff of %s begins at line %d, which it has not", file, first)
	}
	start := len(s.text)
	if first <= len(s.lines) {
		start = s.lines[first-1]
	}
	if !bytes.HasPrefix(s.text[start:], []byte(old.String())) {
		return abi.Diagnostic{}, fmt.Errorf("the diff of %s does not fit the file at line %d", file, first)
	}
	core := h.Lines[h.LeadingContext : int64(len(h.Lines))-h.TrailingContext]
	start += length(h.Lines[:h.LeadingContext])
	gone := 0
	for _, line := range core {
		if line.Op != gitdiff.OpAdd {
			gone += len(line.Line)
		}
		if line.Op != gitdiff.OpDelete {
			changed.WriteString(line.Line)
		}
	}
	begin := first + int(h.LeadingContext)
	d := r.diagnostic(file, "", "", "")
	d.Message = cmp.Or(d.Message, "is not formatted")
	d.Range = abi.Range{Start: abi.Position{Line: min(begin, len(s.lines)), Column: 1}}
	if lines := slices.DeleteFunc(slices.Clone(core), func(l gitdiff.Line) bool { return l.Op == gitdiff.OpAdd }); len(lines) > 0 {
		last := begin + len(lines) - 1
		text, _ := s.line(last)
		d.Range.End = abi.Position{Line: last, Column: len(text) + 1}
	}
	d.Fixes = []abi.Fix{{
		Title: "format", Safe: true,
		Edits: []abi.Edit{{File: file, Start: int64(start), End: int64(start + gone), Text: changed.String()}},
	}}
	return d, nil
}

// length is that of lines in bytes.
func length(lines []gitdiff.Line) int {
	n := 0
	for _, l := range lines {
		n += len(l.Line)
	}
	return n
}
