package target

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		claim, text string
		want        Target
		isDir       bool
	}{
		{"a name is a project", "infra", Target{Project: "infra"}, false},
		{"a path is a project", "apps/web", Target{Project: "apps/web"}, false},
		{"a trailing slash does not count", "apps/web/", Target{Project: "apps/web"}, false},
		{"a typed directory stays one", "./infra", Target{Project: "./infra"}, true},
		{"dots inside are resolved", "./apps/../infra/.", Target{Project: "./infra"}, true},
		{"here is a directory", ".", Target{Project: "."}, true},
		{"here in full is a directory", "./", Target{Project: "."}, true},
		{"above is a directory", "..", Target{Project: ".."}, true},
		{"beside is a directory", "../infra", Target{Project: "../infra"}, true},
		{"out through here is above", "./../infra", Target{Project: "../infra"}, true},
		{"an absolute directory is one", "/ws/infra/", Target{Project: "/ws/infra"}, true},
		{"a hidden directory is a name", ".tools", Target{Project: ".tools"}, false},
		{"a directory of two dots and more is a name", "..x", Target{Project: "..x"}, false},
		{"a Python file is a path", "infra/test/test_a.py", Target{Path: "infra/test/test_a.py"}, false},
		{"a typed Python file is a path", "./test_a.py", Target{Path: "test_a.py"}, false},
		{"a case has its node", "test_a.py::test_b", Target{Path: "test_a.py", Node: "test_b"}, false},
		{
			"a case in a class keeps its parameters", "infra/test/test_a.py::TestX::test_y[a b]",
			Target{Path: "infra/test/test_a.py", Node: "TestX::test_y[a b]"},
			false,
		},
		{"parameters hold anything", "t.py::t[x::y/../z.py]", Target{Path: "t.py", Node: "t[x::y/../z.py]"}, false},
		{"a node makes any file a path", "doc.md::doc.md", Target{Path: "doc.md", Node: "doc.md"}, false},
		{"spaces belong to the name", "my project", Target{Project: "my project"}, false},
		{"bytes that are not text stay", "a\xff", Target{Project: "a\xff"}, false},
	} {
		t.Run(tt.claim, func(t *testing.T) {
			got, err := Parse(tt.text)
			if err != nil || got != tt.want || got.IsDir() != tt.isDir {
				t.Errorf("Parse(%q) = %+v, %v (a directory: %t); want %+v (%t)", tt.text, got, err, got.IsDir(), tt.want, tt.isDir)
			}
		})
	}
}

func TestParseRefusesWhatNamesNothing(t *testing.T) {
	for claim, text := range map[string]string{
		"nothing": "", "a node without a file": "::test_a", "a file without its node": "test_a.py::", "a NUL byte": "a\x00b",
	} {
		t.Run(claim, func(t *testing.T) {
			got, err := Parse(text)
			if f := fault.Of(err); f == nil || f.Code != "target.invalid" || f.Class != fault.Usage || got != (Target{}) {
				t.Errorf("Parse(%q) = %+v, %v", text, got, err)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"infra", "./a", "..", "a/b.py", "a.py::B::c[d e]", "/x/", ".//../a", "::", ":/::0", "a:/::b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Parse(text)
		if err != nil {
			if !fault.HasCode(err, "target.invalid") {
				t.Errorf("unexpected error %v", err)
			}
			return
		}
		if (got.Project == "") == (got.Path == "") {
			t.Errorf("Parse(%q) = %+v: exactly one of Project and Path must be set", text, got)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("Parse(%q) = %+v, but its own text %q gives %+v, %v", text, got, got.String(), again, err)
		}
		if strings.HasSuffix(got.Project, "/") && got.Project != "/" {
			t.Errorf("Parse(%q).Project = %q ends in a slash", text, got.Project)
		}
	})
}
