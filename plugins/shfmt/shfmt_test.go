// Package shfmt tests the manifest that makes a plugin of mvdan.cc/sh's shfmt, whose
// code is not changed and not here.
package shfmt_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/lint/match"
	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/sdk/go/abi"
)

// files are scripts as they should be, as they should not be by their
// .editorconfig, and one that is none.
var files = map[string]string{
	".editorconfig":        "root = true\n[*.sh]\nindent_style = space\nindent_size = 2\n",
	"deep/.editorconfig":   "[*.bash]\nindent_style = space\nindent_size = 4\n",
	"well.sh":              "if true; then\n  echo a\nfi\n",
	"deep/well.bash":       "if true; then\n    echo a\nfi\n",
	"tabs.sh":              "if true; then\n\techo a\nfi\n",
	"deep/down/spaces.sh":  "if true; then\n    echo a\nfi\n",
	"deep/down/dense.bash": "if true;then\n    echo a\nfi\n",
}

func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTheModuleDoesWhatTheProgramDoes(t *testing.T) {
	plugin := plugintest.BuildProgram(t, "mvdan.cc/sh/v3/cmd/shfmt")
	tool := plugin.Manifest.Tool
	scripts := []string{"deep/down/dense.bash", "deep/down/spaces.sh", "deep/well.bash", "tabs.sh", "well.sh"}
	dense := strings.Join([]string{
		"diff /deep/down/dense.bash.orig /deep/down/dense.bash", "--- /deep/down/dense.bash.orig", "+++ /deep/down/dense.bash",
		"@@ -1,3 +1,3 @@", "-if true;then", "+if true; then", "     echo a", " fi", "",
	}, "\n")
	tests := map[string]struct {
		args, names []string
		want        plugintest.Output
	}{
		"check":             {tool.Args, scripts, plugintest.Output{Exit: 1, Stdout: "/deep/down/dense.bash\n/deep/down/spaces.sh\n/tabs.sh\n"}},
		"check what is so":  {tool.Args, []string{"deep/well.bash", "well.sh"}, plugintest.Output{}},
		"fix":               {tool.FixArgs, []string{"deep/down/dense.bash", "well.sh"}, plugintest.Output{Exit: 1, Stdout: dense}},
		"a syntax error":    {tool.Args, []string{"broken.sh", "tabs.sh"}, plugintest.Output{Exit: 1, Stdout: "/tabs.sh\n", Stderr: "/broken.sh:2:1: `foo(` must be followed by `)`\n"}},
		"a file that is no": {tool.Args, []string{"gone.sh"}, plugintest.Output{Exit: 1, Stderr: "lstat /gone.sh: No such file or directory\n"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := tree(t)
			if err := os.WriteFile(filepath.Join(dir, "broken.sh"), []byte("echo\necho (\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			module, native := plugin.RunTool(t, dir, tt.args, tt.names)
			if diff := cmp.Diff(tt.want, module); diff != "" {
				t.Errorf("want, got:\n%s", diff)
			}
			native.Stdout, native.Stderr = strings.ReplaceAll(native.Stdout, dir, ""), strings.ReplaceAll(native.Stderr, dir, "")
			if !strings.Contains(native.Stderr, "no such file") && module != native {
				t.Errorf("the program gives %+v", native)
			}
		})
	}
}

func TestTheManifestReadsWhatTheProgramSays(t *testing.T) {
	tool := plugintest.ReadManifest(t).Tool
	tests := map[string]struct {
		how    abi.Matcher
		output match.Output
		want   []abi.Diagnostic
	}{
		"what is badly formatted": {tool.Output, match.Output{Exit: 1, Stdout: []byte("/a b/x.sh\n/y.bash\n")}, []abi.Diagnostic{
			{File: "a b/x.sh", Severity: abi.SeverityError, Rule: "format", Message: "not formatted as shfmt would"},
			{File: "y.bash", Severity: abi.SeverityError, Rule: "format", Message: "not formatted as shfmt would"},
		}},
		"what is no script": {*tool.Failure, match.Output{Exit: 1, Stderr: []byte("/a b/x.sh:2:10: `foo(` must be: followed by `)`\n")}, []abi.Diagnostic{{
			File: "a b/x.sh", Range: abi.Range{Start: abi.Position{Line: 2, Column: 10}}, Severity: abi.SeverityError, Rule: "syntax", Message: "`foo(` must be: followed by `)`",
		}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			matcher, err := match.New(tt.how)
			if err != nil {
				t.Fatal(err)
			}
			tt.output.Path = func(name string) (string, bool) { return strings.CutPrefix(name, "/") }
			tt.output.Source = func(string) ([]byte, error) { return []byte("line one\nline two is long\n"), nil }
			got, err := matcher.Read(tt.output)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v, want, got:\n%s", err, diff)
			}
		})
	}
}

func TestTheManifestHasTheProgramsVersion(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "mvdan.cc/sh/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := "v"+plugintest.ReadManifest(t).Version, strings.TrimSpace(string(out)); got != want {
		t.Errorf("the manifest is of %s, go.mod has %s", got, want)
	}
}
