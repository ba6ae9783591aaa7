package suite_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/suite"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// load makes a workspace whose only project is infra.
func load(t *testing.T, root, infra string) (*workspace.Workspace, workspace.Project) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"wr.toml": "[workspace]\n" + root, "infra/wr.toml": "[project]\n" + infra, "infra/devops/Dockerfile": "FROM a"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ws, err := workspace.Load(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return ws, ws.Projects[0]
}

func names(all []suite.Suite) string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return strings.Join(names, " ")
}

func TestSuitesTakeCasesInTheOrderOfTheFile(t *testing.T) {
	for name, tt := range map[string]struct {
		root, infra, want string
		of                map[string]string // marks to the suites of a case
	}{
		"built in": {want: "superslow slow fast", of: map[string]string{
			"": "fast", "slow": "slow", "superslow": "superslow", "slow superslow": "superslow slow", "gpu": "fast",
		}},
		"of the project, then of the root": {
			root: "[suites.gpu]\n[suites.db]\nmarks = \"postgres or mysql\"\n", infra: "[suites.net]\n[suites.slow]\ntimeout = \"1m\"\n",
			want: "net slow gpu db superslow fast", of: map[string]string{
				"": "fast", "gpu slow": "slow gpu", "mysql": "db", "net": "net",
			},
		},
		"the project's own takes the place of the root's": {
			root: "[suites.gpu]\nmarks = \"cuda\"\n", infra: "[suites.gpu]\nmarks = \"rocm\"\n", want: "gpu superslow slow fast",
			of: map[string]string{"cuda": "fast", "rocm": "gpu"},
		},
		"what takes the rest comes last": {
			infra: "[suites.fast]\ntimeout = \"5s\"\n[suites.gpu]\n", want: "gpu superslow slow fast", of: map[string]string{"gpu": "gpu"},
		},
		"a fast of its own leaves cases to none": {
			infra: "[suites.fast]\nmarks = \"quick\"\n", want: "fast superslow slow", of: map[string]string{"": "", "quick slow": "fast slow"},
		},
		"written with dots": {
			infra: "[suites]\nz.shards = 2\na.marks = \"a\"\n", want: "z a superslow slow fast", of: map[string]string{"z": "z"},
		},
		"written inline": {
			infra: "[suites]\nz = { marks = \"a\" }\na.marks = \"a\"\n", want: "z a superslow slow fast", of: map[string]string{"a": "z a"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ws, p := load(t, tt.root, tt.infra)
			all := suite.Of(ws, p)
			if got := names(all); got != tt.want {
				t.Errorf("suites are %s, want %s", got, tt.want)
			}
			for marks, want := range tt.of {
				if got := strings.Join(suite.In(all, strings.Fields(marks)), " "); got != want {
					t.Errorf("a case with the marks %q is in %q, want %q", marks, got, want)
				}
			}
		})
	}
}

func TestASuiteKnowsWhereItIsWritten(t *testing.T) {
	ws, p := load(t, "[suites.gpu]\n", "[suites.net]\n")
	for _, s := range suite.Of(ws, p) {
		want := map[string]string{"gpu": "wr.toml", "net": "infra/wr.toml"}[s.Name]
		if s.File != want || want != "" && s.Line != 2 {
			t.Errorf("%s is at %s:%d", s.Name, s.File, s.Line)
		}
	}
}

func TestARunHasTheSuitesThatWereAskedFor(t *testing.T) {
	ws, _ := load(t, "[suites.gpu]\n", "")
	for words, want := range map[string]string{"": "fast", "slow,gpu": "gpu slow", "all": "fast gpu slow superslow -", "slow,all": "fast gpu slow superslow -"} {
		choice, err := suite.Chosen(ws, ws.Projects, strings.FieldsFunc(words, func(r rune) bool { return r == ',' }))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range append(suite.Names(ws, ws.Projects), "") {
			if choice.Has(name) {
				got = append(got, map[string]string{"": "-"}[name]+name)
			}
		}
		if strings.Join(got, " ") != want || choice.Explicit() != (words == "slow,gpu") {
			t.Errorf("%q has %v, want %s", words, got, want)
		}
	}
}

func TestAnUnknownSuiteSaysWhatThereIs(t *testing.T) {
	ws, _ := load(t, "[suites.gpu]\n", "")
	_, err := suite.Chosen(ws, ws.Projects, []string{"fast", "solw"})
	f := fault.Of(err)
	if f.Code != "suite.unknown" || f.Class != fault.Usage || f.Hint != "slow" || !strings.Contains(f.Next, "fast, gpu, slow, superslow") {
		t.Errorf("got %+v", f)
	}
	if !slices.Equal(suite.Choice{}.Names(), []string{"fast"}) {
		t.Error("without a word it is not fast that runs")
	}
}
