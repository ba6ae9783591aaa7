package deps

import (
	"os/exec"
	"strings"
	"testing"
)

func TestTheStandardLibraryIsKnown(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sys; print(*sys.stdlib_module_names)").Output()
	if err != nil {
		t.Fatalf("this test asks Python, which has to be on PATH as python3 (apt-get install python3): %v", err)
	}
	names := strings.Fields(string(out))
	if len(names) < 200 {
		t.Fatalf("python3 has only %d modules", len(names))
	}
	for _, name := range names {
		if !stdlib[name] {
			t.Errorf("%s is not known", name)
		}
	}
}

func TestWellKnownModulesSayMoreThanTheirNames(t *testing.T) {
	for module, names := range distributions {
		if len(names) == 1 && normal(names[0]) == normal(module) {
			t.Errorf("%s is known by its name", module)
		}
		for _, name := range names {
			if nameOf(name) != name {
				t.Errorf("%s: %q is no name of a distribution", module, name)
			}
		}
		if stdlib[module] {
			t.Errorf("%s is of the standard library", module)
		}
	}
}
