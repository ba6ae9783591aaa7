package conform_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// goodTool finds something in a.sh and nothing in b.sh, and nothing else is there.
func goodTool() conform.Tool {
	return conform.Tool{
		Manifest: abi.Manifest{Kind: abi.KindTool, Provides: abi.Provides{Lint: &abi.Files{}, Format: &abi.Files{}}},
		Files:    []string{"dir/a.sh", "dir/b.sh"},
		Lint: func(_ context.Context, files []string) ([]abi.Diagnostic, error) {
			var all []abi.Diagnostic
			for _, file := range files {
				switch file {
				case "dir/a.sh":
					all = append(all, abi.Diagnostic{File: file, Message: "odd"})
				case "dir/b.sh":
				default:
					return nil, errors.New("no such file: " + file)
				}
			}
			return all, nil
		},
		Format: func(context.Context, []string) ([]abi.Edit, error) { return nil, nil },
	}
}

// brokenRules are the rules that a tool does not keep, with what was said.
func brokenRules(t *testing.T, tool conform.Tool) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, f := range conform.CheckTool(t.Context(), tool) {
		if len(f.Broken) > 0 {
			all[f.Rule] = strings.Join(f.Broken, "; ")
		}
	}
	return all
}

func TestAToolThatItsManifestDescribesKeepsAllRules(t *testing.T) {
	if got := brokenRules(t, goodTool()); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestWhatAManifestSaysWronglyIsFound(t *testing.T) {
	calls := 0
	tests := map[string]struct {
		change func(*conform.Tool)
		want   map[string]string // the rules that are broken, with words of why
	}{
		"it cannot be read": {
			func(tool *conform.Tool) {
				tool.Lint = func(context.Context, []string) ([]abi.Diagnostic, error) {
					return nil, &fault.Error{Message: "exited with 9", Details: "so\nlong"}
				}
			},
			map[string]string{"read": "exited with 9: so; long", "same-again": "exited with 9", "file-alone": "exited with 9"},
		},
		"it says something else each time": {
			func(tool *conform.Tool) {
				tool.Lint = func(_ context.Context, files []string) ([]abi.Diagnostic, error) {
					calls++
					return []abi.Diagnostic{{File: files[0], Message: strings.Repeat("x", calls)}}, nil
				}
			},
			map[string]string{"same-again": `it said ["dir/a.sh:0:0:  xx"], and then ["dir/a.sh:0:0:  xxx"]`, "file-alone": "among others"},
		},
		"files change what is said of others": {
			func(tool *conform.Tool) {
				lint := tool.Lint
				tool.Lint = func(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
					if len(files) > 1 {
						return nil, nil
					}
					return lint(ctx, files)
				}
			},
			map[string]string{"file-alone": `it said ["dir/a.sh:0:0:  odd"] of dir/a.sh, and [] among others`},
		},
		"it passes over what is not there": {
			func(tool *conform.Tool) {
				lint := tool.Lint
				tool.Lint = func(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
					if files[0] == "dir/wr-no-such-file.sh" {
						return nil, nil
					}
					return lint(ctx, files)
				}
			},
			map[string]string{"missing-file": "as if all were well"},
		},
		"its diffs do not fit": {
			func(tool *conform.Tool) {
				tool.Format = func(context.Context, []string) ([]abi.Edit, error) { return nil, errors.New("does not fit") }
			},
			map[string]string{"edits": "does not fit"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tool := goodTool()
			tt.change(&tool)
			got := brokenRules(t, tool)
			for rule, words := range tt.want {
				if !strings.Contains(got[rule], words) {
					t.Errorf("%s: got %q, want %q", rule, got[rule], words)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRulesThatDoNotHoldForATool(t *testing.T) {
	tool := goodTool()
	tool.Manifest.Provides = abi.Provides{Lint: &abi.Files{Whole: true}}
	tool.Format = nil // it is not asked
	lint := tool.Lint
	tool.Lint = func(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
		if len(files) == 1 && files[0] != "dir/wr-no-such-file.sh" {
			t.Errorf("what judges files together was asked about %q alone", files)
		}
		return lint(ctx, files)
	}
	if got := brokenRules(t, tool); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestThePageHasAllRulesOfTools(t *testing.T) {
	page, err := os.ReadFile("../../../docs/plugins/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range conform.CheckTool(t.Context(), goodTool()) {
		if row := "| `" + f.Rule + "` | " + f.Claim + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("the page lacks the row %s", row)
		}
	}
}
