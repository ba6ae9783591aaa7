package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestEveryTableIsRead(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/good.txtar")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse("wr.toml", archive.Files[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	want := &File{
		Workspace: &Workspace{Name: "acme", Registry: "ghcr.io/acme", Exclude: []string{"legacy/**", "**/testdata"}},
		Project:   &Project{Name: "tools", Version: "1.4.0-rc.1", Needs: []string{"helpers"}},
		Image: Image{
			Dockerfile: "docker/Dockerfile", Target: "dev",
			Args: map[string]string{"PYTHON": "3.12"}, Entrypoint: spec.EntrypointOnce, User: "1000:1000",
		},
		Test: Test{
			Paths: []string{"test", "checks/test_all.py"}, Command: []string{"python3", "-m", "pytest"},
			Args: []string{"-q"}, Network: spec.NetworkHost,
		},
		Env:    Env{Allow: []string{"CI"}, Set: map[string]string{"TZ": "UTC"}},
		Run:    Run{Network: spec.NetworkNone},
		Policy: Policy{Build: "allow"},
		Images: map[string]Image{
			"e2e":   {Dockerfile: "e2e/Dockerfile", Entrypoint: spec.EntrypointOnce, User: "pwuser"},
			"tools": {Dockerfile: "devops/Dockerfile", Entrypoint: spec.EntrypointOff, Ref: "ghcr.io/acme/tools:1.4"},
		},
		Bases: map[string]Base{"acme/python": {Suite: "bookworm", Include: []string{"python3", "python3-pytest"}}},
		Tasks: map[string]Task{
			"migrate": {
				Run: Command{Line: "alembic upgrade ${revision}"}, Help: "Upgrade the database.",
				Needs: []string{"build", "helpers:generate"}, Env: map[string]string{"PGTZ": "UTC"},
				Args: []Arg{{Name: "revision", Required: true}, {Name: "sql", Type: ArgBool, Help: "Only print."}},
			},
			"serve": {
				Run: Command{Words: []string{"serve", "--port", "${port}"}},
				Args: []Arg{
					{Name: "port", Type: ArgInt, Default: Scalar{"8000", true}},
					{Name: "log_level", Type: ArgChoice, Choices: []string{"info", "debug"}, Default: Scalar{"info", true}},
				},
			},
		},
		lines: got.lines,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for key, line := range map[string]int{
		"workspace": 1, "project.needs": 9, "image.args.PYTHON": 14, "test.paths[1]": 20, `bases."acme/python".suite`: 41, "tasks.serve.args[1].name": 58, "nothing": 0,
	} {
		if got.Line(key) != line {
			t.Errorf("line of %s: got %d, want %d", key, got.Line(key), line)
		}
	}
}

func TestAnEntryOfImagesIsAFileOfItsOwn(t *testing.T) {
	f, err := Parse("wr.toml", []byte("[workspace]\n[env]\nallow = [\"CI\"]\n[images.e2e]\ntarget = \"dev\"\n[images.e2e-more]\nuser = \"me\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	e := f.Entry("e2e")
	if e.Image.Target != "dev" || e.Image.User != "" || e.Image.Dockerfile != "devops/Dockerfile" || e.Workspace != nil || len(e.Env.Allow) > 0 {
		t.Errorf("got %+v", e)
	}
	if got := []int{e.Line("image"), e.Line("image.target"), e.First("image"), e.Line("image.user")}; !slices.Equal(got, []int{4, 5, 4, 0}) {
		t.Errorf("its lines are %v", got)
	}
}

func TestAnEmptyFileHasTheDefaults(t *testing.T) {
	for name, data := range map[string]string{"empty": "", "only a byte order mark": "\ufeff", "carriage returns": "\r\n# hi\r\n"} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse("wr.toml", []byte(data))
			if err != nil {
				t.Fatal(err)
			}
			want := Default()
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got.Image.Dockerfile != "devops/Dockerfile" || got.Test.Network != "none" || got.Run.Network != "host" || !slices.Equal(got.Test.Command, []string{"pytest"}) {
				t.Errorf("wrong defaults: %+v", got)
			}
			if got.Project != nil || got.Workspace != nil {
				t.Error("tables that are not written must be nil")
			}
		})
	}
}

func TestEveryMistakeSaysWhereAndWhatInstead(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/bad.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.Files {
		t.Run(file.Name, func(t *testing.T) {
			_, err := Parse("infra/wr.toml", file.Data)
			problems, ok := errors.AsType[Errors](err)
			if !ok {
				t.Fatalf("got error %v, want Errors", err)
			}
			if got, want := describeAll(t, problems), wanted(file.Data); got != want {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// describeAll renders problems as testdata/bad.txtar does.
func describeAll(t *testing.T, problems Errors) string {
	var b strings.Builder
	for _, p := range problems {
		f := p.Fault
		if f.File != "infra/wr.toml" || f.Class != fault.Usage {
			t.Errorf("got file %q and class %q in %v", f.File, f.Class, f)
		}
		fmt.Fprintf(&b, "%d %s %s", f.Line, f.Code, f.Message)
		if f.Hint != "" {
			b.WriteString(" | did you mean " + f.Hint)
		}
		if f.Next != "" {
			b.WriteString(" | next " + f.Next)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// wanted returns the faults that the comments of a file announce.
func wanted(data []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(data)) {
		if want, ok := strings.CutPrefix(line, "# want: "); ok {
			b.WriteString(want)
		}
	}
	return b.String()
}

func TestWhatIsRightSurvivesWhatIsWrong(t *testing.T) {
	f, err := Parse("wr.toml", []byte("[workspace]\nname = \"acme\"\n[test]\npaths = 3\nargs = [\"-q\"]\n"))
	if err == nil || f.Workspace == nil || f.Workspace.Name != "acme" || !slices.Equal(f.Test.Args, []string{"-q"}) {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestAFileThatIsNotTomlStillTellsWhatItWasMeantToBe(t *testing.T) {
	f, err := Parse("wr.toml", []byte("[workspace\n[ project ]\nname=\n  [workspace]\n"))
	if err == nil || f.Workspace == nil || f.Project == nil {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestErrorsAreOneFaultWithAllOfThem(t *testing.T) {
	_, err := Parse("wr.toml", []byte("[project]\nnmae = 1\n[test]\npaths = 3\n"))
	problems, _ := errors.AsType[Errors](err)
	got := problems.Fault()
	if got.Code != "config.unknown_key" || got.Line != 2 || !strings.Contains(got.Message, "and 1 more") ||
		!strings.Contains(got.Details, "wr.toml:4: [test] paths: expected a list") {
		t.Errorf("got %+v", got)
	}
	if !problems.Touches("test") || !problems.Touches("project") || problems.Touches("workspace") {
		t.Error("mistakes are not found in their tables")
	}
	if Errors(nil).Fault() != nil {
		t.Error("no mistakes must be no fault")
	}
	if !fault.HasCode(err, "config.unknown_key") || !errors.Is(err, &fault.Error{Code: "config.bad_type"}) {
		t.Error("codes are not visible through errors.Is")
	}
}

func TestASyntaxErrorTouchesEveryTable(t *testing.T) {
	_, err := Parse("wr.toml", []byte("["))
	if problems, ok := errors.AsType[Errors](err); !ok || !problems.Touches("workspace") {
		t.Errorf("got %v", err)
	}
}

func TestLoadNamesTheFileThatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.toml")
	if err := os.WriteFile(huge, make([]byte, maxSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{"missing": filepath.Join(dir, "no.toml"), "a directory": dir, "huge": huge} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(path, "infra/wr.toml")
			f := fault.Of(err)
			if f.Code != "config.unreadable" || f.File != "infra/wr.toml" || strings.Contains(f.Message, dir) {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestLoadReadsAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), Name)
	if err := os.WriteFile(path, []byte("[project]\nname = \"a\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Load(path, Name)
	if err != nil || f.Project == nil || f.Project.Name != "a" {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestTheSchemaKnowsEveryKeyThatTheParserKnows(t *testing.T) {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties map[string]struct {
			Properties map[string]struct {
				Description string
				Enum        []string
			}
		}
		AdditionalProperties bool
	}
	schema.AdditionalProperties = true
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	if schema.AdditionalProperties {
		t.Error("unknown tables must be refused")
	}
	if got := schema.Properties["test"].Properties["network"].Enum; !slices.Equal(got, []string{"none", "host"}) {
		t.Errorf("got networks %v", got)
	}
	for table, field := range fields(reflect.TypeFor[File]()) {
		if field.Tag.Get("doc") == "" {
			t.Errorf("[%s] has no description", table)
		}
		kind := field.Type
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		if kind.Kind() != reflect.Struct {
			continue
		}
		for key := range fields(kind) {
			if schema.Properties[table].Properties[key].Description == "" {
				t.Errorf("[%s] %s has no description in the schema", table, key)
			}
		}
	}
}

func TestDefaultsInTheSchemaAreThoseOfTheParser(t *testing.T) {
	defaults := reflect.ValueOf(Default()).Elem()
	for table, field := range fields(defaults.Type()) {
		if field.Type.Kind() != reflect.Struct {
			continue
		}
		for key, inner := range fields(field.Type) {
			want := inner.Tag.Get("default")
			value := defaults.FieldByIndex(field.Index).FieldByIndex(inner.Index)
			if got := strings.Trim(fmt.Sprint(value), "[]"); got != want && (want != "" || !value.IsZero()) {
				t.Errorf("[%s] %s: the parser's default is %q, the schema's %q", table, key, got, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/good.txtar", "testdata/bad.txtar"} {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			f.Add(file.Data)
		}
	}
	f.Add([]byte("bases.\"a.b\".include = [[1], {a = 1}]\n[workspace]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("wr.toml", data)
		if file == nil {
			t.Fatal("no file")
		}
		if err == nil {
			return
		}
		for _, problem := range err.(Errors) {
			last := strings.Count(string(data), "\n") + 1
			if problem.Fault.Line < 1 || problem.Fault.Line > last || problem.Fault.Code == "" {
				t.Errorf("line %d of %d in %v", problem.Fault.Line, last, problem.Fault)
			}
		}
	})
}
