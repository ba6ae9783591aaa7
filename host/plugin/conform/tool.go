package conform

import (
	"context"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Tool is a plugin that is a program, and that is looked at through what wr makes of
// what it prints.
type Tool struct {
	Manifest abi.Manifest
	Files    []string // what it is to look at, sorted; at least one
	Lint     func(ctx context.Context, files []string) ([]abi.Diagnostic, error)
	Format   func(ctx context.Context, files []string) ([]abi.Edit, error)
}

// toolRule is something that a manifest has to say rightly of its program.
type toolRule struct {
	name, claim string
	try         func(ctx context.Context, t Tool) error
}

// toolRules are all rules of plugins of kind tool, in the order of docs/plugins/abi.md.
var toolRules = []toolRule{
	{"read", "ends with an exit code that its manifest names, and prints what can be read as it says", read},
	{"same-again", "says the same of the same files", sameAgain},
	{"file-alone", "says of each file alone what it says of it among others, unless it judges files as a whole", fileAlone},
	{"missing-file", "does not take a file for clean that it cannot read", missingFile},
	{"edits", "prints diffs that fit the files, if its manifest has format", fits},
}

// CheckTool tries all rules on a tool.
func CheckTool(ctx context.Context, t Tool) []Finding {
	findings := []Finding{}
	for _, r := range toolRules {
		f := Finding{Rule: r.name, Claim: r.claim}
		if err := r.try(ctx, t); err != nil {
			f.Broken = append(f.Broken, told(err))
		}
		findings = append(findings, f)
	}
	return findings
}

// told is an error with what the program said.
func told(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Details == "" {
		return err.Error()
	}
	return f.Message + ": " + strings.Join(strings.Split(f.Details, "\n"), "; ")
}

func read(ctx context.Context, t Tool) error {
	_, err := t.Lint(ctx, t.Files)
	return err
}

func sameAgain(ctx context.Context, t Tool) error {
	first, err := t.Lint(ctx, t.Files)
	if err != nil {
		return err
	}
	second, err := t.Lint(ctx, t.Files)
	if err == nil && !reflect.DeepEqual(first, second) {
		err = fmt.Errorf("it said %q, and then %q", lines(first), lines(second))
	}
	return err
}

func fileAlone(ctx context.Context, t Tool) error {
	if f := t.Manifest.Provides.Lint; f != nil && f.Whole {
		return nil
	}
	all, err := t.Lint(ctx, t.Files)
	if err != nil {
		return err
	}
	for _, file := range t.Files {
		among := slices.DeleteFunc(slices.Clone(all), func(d abi.Diagnostic) bool { return d.File != file })
		alone, err := t.Lint(ctx, []string{file})
		if err != nil {
			return fmt.Errorf("%s alone: %s", file, told(err))
		}
		if !slices.Equal(lines(among), lines(alone)) {
			return fmt.Errorf("it said %q of %s, and %q among others", lines(alone), file, lines(among))
		}
	}
	return nil
}

// missing is in the place of a file's name what nobody calls a file.
const missing = "wr-no-such-file"

func missingFile(ctx context.Context, t Tool) error {
	first := t.Files[0]
	file := path.Join(path.Dir(first), missing+path.Ext(first))
	said, err := t.Lint(ctx, []string{file})
	if err == nil && len(said) == 0 {
		return errors.New("of a file that is not there it ended as if all were well")
	}
	return nil
}

func fits(ctx context.Context, t Tool) error {
	if t.Manifest.Provides.Format == nil {
		return nil
	}
	_, err := t.Format(ctx, t.Files)
	return err
}

// lines are diagnostics as lines, sorted.
func lines(all []abi.Diagnostic) []string {
	out := []string{}
	for _, d := range all {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s %s", d.File, d.Range.Start.Line, d.Range.Start.Column, d.Rule, d.Message))
	}
	slices.Sort(out)
	return out
}
