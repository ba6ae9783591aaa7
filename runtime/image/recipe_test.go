package image_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// whole stands for the whole context in the tables below.
const whole = "<whole>"

// recipeCase is a Dockerfile and what it must take from outside.
type recipeCase struct {
	name    string
	file    string
	target  string
	args    map[string]string
	bases   string // space-separated, without docker.io/
	sources string // space-separated
}

func recipeCases() []recipeCase {
	return []recipeCase{
		{name: "nothing copied", file: "FROM a\nRUN true", bases: "library/a:latest"},
		{name: "scratch is no base", file: "FROM scratch\nCOPY x /", sources: "x"},
		{name: "a file and a directory", file: "FROM acme/py:1\nCOPY a.txt ./src/ /app/", bases: "acme/py:1", sources: "a.txt src"},
		{name: "quoted form", file: "FROM a\nCOPY [\"a b\", \"c\", \"/d/\"]", bases: "library/a:latest", sources: "a b,c"},
		{name: "patterns stay patterns", file: "FROM a\nCOPY req*.txt /", bases: "library/a:latest", sources: "req*.txt"},
		{name: "copy of everything", file: "FROM a\nCOPY . /app", bases: "library/a:latest", sources: whole},
		{name: "a way out ends at the root", file: "FROM a\nCOPY ../../x /", bases: "library/a:latest", sources: "x"},
		{name: "urls are not sources", file: "FROM a\nADD https://x.org/a.tgz https://github.com/a/b.git y /", bases: "library/a:latest", sources: "y"},
		{name: "heredocs are not sources", file: "FROM a\nCOPY <<EOF /x\nhi $NOPE\nEOF\nRUN <<EOF\ncat x\nEOF", bases: "library/a:latest"},
		{
			name: "unneeded stages do not count", target: "b",
			file:  "FROM one AS a\nCOPY a /\nFROM two AS b\nCOPY b /\nFROM three\nCOPY --from=a / /\nCOPY c /",
			bases: "library/two:latest", sources: "b",
		},
		{
			name:  "copied stages count, by name and by index",
			file:  "FROM one AS a\nCOPY a /\nFROM two\nCOPY b /\nFROM three\nCOPY --from=A / /\nCOPY --from=1 /x /",
			bases: "library/one:latest library/three:latest library/two:latest", sources: "a b",
		},
		{
			name:  "a stage built from a stage",
			file:  "FROM one AS a\nENV D=lib\nCOPY a /\nFROM a\nCOPY $D /",
			bases: "library/one:latest", sources: "a lib",
		},
		{
			name: "a stage name in another case is an image to FROM",
			file: "FROM one AS base\nCOPY a /\nFROM base2\nCOPY b /", bases: "library/base2:latest", sources: "b",
		},
		{name: "images of --from", file: "FROM scratch\nCOPY --from=uv:1 /uv /\nRUN --mount=from=tools,target=/t true", bases: "library/tools:latest library/uv:1"},
		{name: "a digest", file: "FROM a@sha256:" + strings.Repeat("0", 64), bases: "library/a@sha256:" + strings.Repeat("0", 64)},
		{name: "bind mount", file: "FROM a\nRUN --mount=type=bind,source=reqs,target=/r pip", bases: "library/a:latest", sources: "reqs"},
		{name: "bind mount is the default type", file: "FROM a\nRUN --mount=src=reqs,dst=/r pip", bases: "library/a:latest", sources: "reqs"},
		{name: "bind mount without source", file: "FROM a\nRUN --mount=type=bind,target=/r pip", bases: "library/a:latest", sources: whole},
		{name: "cache under an unknown home", file: "FROM a\nRUN --mount=type=cache,target=$HOME/.cache --mount=type=secret,id=x --mount=type=tmpfs,target=/t pip", bases: "library/a:latest"},
		{name: "bind mount of an unknown source", file: "FROM a\nRUN --mount=source=$NOPE,target=/r pip", bases: "library/a:latest", sources: whole},
		{name: "argument before FROM", file: "ARG V=1\nFROM a:$V\nARG V\nCOPY $V /", bases: "library/a:1", sources: "1"},
		{name: "argument of the user", file: "ARG V=1\nFROM a:${V}\nARG D=x\nCOPY $D /", args: map[string]string{"V": "2", "D": "y"}, bases: "library/a:2", sources: "y"},
		{name: "global arguments are not seen inside", file: "ARG D=x\nFROM scratch\nCOPY a$D /", sources: "a"},
		{name: "a variable of the base", file: "FROM a\nCOPY $D/x /", bases: "library/a:latest", sources: whole},
		{name: "a default for a variable of the base", file: "FROM a\nCOPY ${D:-x} /", bases: "library/a:latest", sources: whole},
		{name: "a demand on a variable of the base", file: "FROM a\nCOPY ${D:?no} /", bases: "library/a:latest", sources: whole},
		{name: "a value made of a variable of the base", file: "FROM a\nENV X=$D/x\nCOPY $X /", bases: "library/a:latest", sources: whole},
		{name: "the same after it was set", file: "FROM a\nENV X=$D/x\nENV X=y\nCOPY $X /", bases: "library/a:latest", sources: "y"},
		{name: "ENV sees what was before it", file: "FROM scratch\nENV A=1\nENV A=2 B=$A\nCOPY $B /", sources: "1"},
		{name: "a name that would negate the pattern", file: "FROM a\nCOPY !x /", bases: "library/a:latest", sources: whole},
		{name: "ONBUILD of a stage", file: "FROM a AS b\nONBUILD COPY x /\nFROM b\nCOPY y /", bases: "library/a:latest", sources: "x y"},
		{name: "ONBUILD by itself", file: "FROM a\nONBUILD COPY . /\nCOPY y /", bases: "library/a:latest", sources: "y"},
		{name: "predefined arguments", file: "FROM scratch\nARG TARGETOS\nCOPY $TARGETOS /", sources: "linux"},
		{name: "another escape character", file: "# escape=`\nFROM a\nCOPY x `\n  y /", bases: "library/a:latest", sources: "x y"},
		{name: "parents", file: "FROM a\nCOPY --parents ./x/./y/*.txt /", bases: "library/a:latest", sources: "x/y/*.txt"},
	}
}

func TestRecipe(t *testing.T) {
	for _, c := range recipeCases() {
		t.Run(c.name, func(t *testing.T) {
			got, err := image.Recipe(spec.Dockerfile{Data: []byte(c.file), Target: c.target, Args: c.args})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := got.Bases, references(c.bases); !slices.Equal(got, want) {
				t.Errorf("bases: got %q, want %q", got, want)
			}
			if got, want := got.Whole, c.sources == whole; got != want {
				t.Errorf("whole: got %v, want %v", got, want)
			}
			if got, want := got.Sources, fields(c.sources); !slices.Equal(got, want) {
				t.Errorf("sources: got %q, want %q", got, want)
			}
		})
	}
}

// references completes the short names of a table.
func references(names string) []string {
	var out []string
	for n := range strings.FieldsSeq(names) {
		out = append(out, "docker.io/"+n)
	}
	return out
}

// fields splits the sources of a table, at commas when there are any.
func fields(sources string) []string {
	switch {
	case sources == whole:
		return nil
	case strings.Contains(sources, ","):
		return strings.Split(sources, ",")
	default:
		return strings.Fields(sources)
	}
}

func TestRecipeFaults(t *testing.T) {
	cases := []struct {
		name, file, target, code, message, hint string
		line                                    int
	}{
		{name: "empty", file: "", code: "image.dockerfile_invalid", message: "file with no instructions"},
		{name: "no FROM", file: "ARG A=1\n", code: "image.dockerfile_invalid", message: "no FROM"},
		{name: "misspelt instruction", file: "FROM a\nCOPY x /\nRUNN true\n", code: "image.dockerfile_invalid", message: "unknown instruction: RUNN", hint: "RUN", line: 3},
		{name: "misspelt flag", file: "FROM a\nCOPY --form=x a /\n", code: "image.dockerfile_invalid", message: "unknown flag: --form", hint: "from", line: 2},
		{name: "misspelt mount type", file: "FROM a\nRUN --mount=type=cach,target=/x true\n", code: "image.dockerfile_invalid", message: `unsupported mount type "cach"`, hint: "cache", line: 2},
		{name: "copy without destination", file: "FROM a\n\nCOPY x\n", code: "image.dockerfile_invalid", message: "COPY requires at least two arguments", line: 3},
		{name: "blank base", file: "ARG V\nFROM $V\n", code: "image.dockerfile_invalid", message: "should not be blank", line: 2},
		{name: "bad reference", file: "FROM Upper\n", code: "image.dockerfile_invalid", message: "must be lowercase", line: 1},
		{name: "bad substitution", file: "FROM scratch\nCOPY ${x /\n", code: "image.dockerfile_invalid", message: "failed to process", line: 2},
		{name: "unknown target", file: "FROM a AS build\nFROM b AS test\n", target: "biuld", code: "image.unknown_target", message: `no stage is named "biuld"`, hint: "build"},
		{name: "foreign frontend", file: "# syntax=example.org/cargo:1\nFROM a\n", code: "image.syntax_unsupported", message: "example.org/cargo:1", line: 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := image.Recipe(spec.Dockerfile{Path: "p/Dockerfile", Data: []byte(c.file), Target: c.target})
			f := fault.Of(err)
			if f == nil {
				t.Fatal("no error")
			}
			if f.Code != c.code || f.File != "p/Dockerfile" || f.Line != c.line || f.Hint != c.hint {
				t.Errorf("got %+v, want code %s, line %d, hint %q", f, c.code, c.line, c.hint)
			}
			if !strings.Contains(f.Message, c.message) || strings.Contains(f.Message, "did you mean") || strings.Contains(f.Message, "parse error on line") {
				t.Errorf("got message %q, want %q in it and nothing doubled", f.Message, c.message)
			}
		})
	}
}

func TestRecipeNotesTheSyntaxLineItIgnores(t *testing.T) {
	r, err := image.Recipe(spec.Dockerfile{Data: []byte("# syntax=docker/dockerfile:1.7-labs\nFROM a\n")})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "docker/dockerfile:1.7-labs is ignored") {
		t.Errorf("got notes %q", r.Notes)
	}
}

func FuzzRecipe(f *testing.F) {
	for _, c := range recipeCases() {
		f.Add([]byte(c.file), c.target)
	}
	f.Add([]byte("FROM a AS b\nFROM b AS a\nCOPY --from=b / /\nCOPY --from=1 / /"), "b")
	f.Add([]byte("FROM a\nONBUILD ONBUILD RUN x\nONBUILD RUN --mount=from=0 y"), "")
	f.Fuzz(func(t *testing.T, data []byte, target string) {
		r, err := image.Recipe(spec.Dockerfile{Data: data, Target: target})
		if err != nil {
			if fault.Of(err).Code == "wr.unexpected" {
				t.Errorf("error without a code: %v", err)
			}
			return
		}
		if r.Whole && len(r.Sources) > 0 {
			t.Errorf("whole and sources %q", r.Sources)
		}
		for _, s := range r.Sources {
			if s == "" || s == "." || strings.HasPrefix(s, "/") || strings.HasPrefix(s, "../") {
				t.Errorf("source %q is not a path in the context", s)
			}
		}
	})
}
