package workspace

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestAProjectUsesTheImageThatItsConfigNames(t *testing.T) {
	tests := map[string]struct{ from, want, fault string }{
		"its own without a word":     {"a", "a", ""},
		"another's":                  {"b", "a", ""},
		"another's of another's":     {"deep/c", "a", ""},
		"the root's":                 {"top", ".", ""},
		"one that is no project":     {"lost", "", "there is no project nowhere"},
		"one outside of the tree":    {"out", "", "there is no project ../elsewhere"},
		"one that uses it in return": {"x", "", "y uses the image of x, which uses that of y"},
		"one of [images]":            {"pictures", "e2e", ""},
		"another's by way of images": {"via", "a", ""},
		"a missing one of [images]":  {"late", "", "there is no project late/e2f"},
		"its own by name":            {"self", "", "self uses the image of self"},
	}
	archive := "-- wr.toml --\n[workspace]\n[project]\n[images.e2e]\nref = \"e2e:1\"\n[images.lent]\nfrom = \"a\"\n-- a/devops/ --\n"
	for project, from := range map[string]string{
		"b": "../a", "deep/c": "../../b", "top": "..", "lost": "../nowhere", "out": "../../elsewhere", "x": "../y", "y": "../x", "self": ".",
		"pictures": "e2e", "via": "lent", "late": "e2f",
	} {
		archive += "-- " + project + "/wr.toml --\n[project]\n[image]\nfrom = \"" + from + "\"\n"
	}
	w := loaded(t, tree(t, archive))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := w.Find(tt.from)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Maker(p)
			switch {
			case tt.fault == "" && (err != nil || got.Path != tt.want):
				t.Errorf("got %q, %v, want %q", got.Path, err, tt.want)
			case tt.fault != "" && (!fault.HasCode(err, "image.bad_from") || !strings.Contains(err.Error(), tt.fault)):
				t.Errorf("got %v, want image.bad_from with %q", err, tt.fault)
			case tt.fault != "" && fault.Of(err).Line != 3:
				t.Errorf("got line %d, want 3", fault.Of(err).Line)
			}
		})
	}
}
