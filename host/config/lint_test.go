package config

import (
	"reflect"
	"testing"
)

// linters are those of a root and of a project.
func linters(t *testing.T, text string) map[string]Linter {
	t.Helper()
	f, err := Parse("wr.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f.Lint
}

func TestALinterHasWhatItLeavesOpenFromTheRoot(t *testing.T) {
	root := linters(t, `
[lint.ruff]
run = "ruff check {files}"
fix = ["ruff", "--fix", "{files}"]
files = ["**/*.py"]
inputs = ["ruff.toml"]
container = "tools"
output = { format = "sarif" }
whole = true
`)["ruff"]
	for name, tt := range map[string]struct {
		own  string
		want func(*Linter)
	}{
		"nothing":             {"", func(*Linter) {}},
		"enabled":             {"enabled = false", func(l *Linter) { l.Enabled = Switch{false, true} }},
		"whole":               {"whole = false", func(l *Linter) { l.Whole = Switch{false, true} }},
		"run":                 {`run = ["flake8", "{files}"]`, func(l *Linter) { l.Run = Command{Words: []string{"flake8", "{files}"}} }},
		"no inputs":           {"inputs = []", func(l *Linter) { l.Inputs = []string{} }},
		"files and container": {"files = [\"*.pyi\"]\ncontainer = \"other\"", func(l *Linter) { l.Files, l.Container = []string{"*.pyi"}, "other" }},
		"output as one": {
			"output = { format = \"list\" }",
			func(l *Linter) { l.Output = LinterOutput{Format: "list"} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := root
			tt.want(&want)
			if got := linters(t, "[lint.ruff]\n"+tt.own)["ruff"].Over(root); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestWhatIsNotSaidOfALinterIsOn(t *testing.T) {
	l := linters(t, "[lint.a]\n[lint.b]\nenabled = false\nwhole = true\n")
	if !l["a"].Enabled.Or(true) || l["a"].Whole.Or(false) || l["b"].Enabled.Or(true) || !l["b"].Whole.Or(false) {
		t.Errorf("got %+v", l)
	}
}
