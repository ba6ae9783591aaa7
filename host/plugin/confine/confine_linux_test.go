package confine_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/confine"
)

// build builds the program that confines itself, static as wr is.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "confined")
	cmd := exec.Command("go", "build", "-o", path, "./testdata/confined")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return path
}

func TestAProcessKeepsWhatItsRulesSay(t *testing.T) {
	program := build(t)
	read, write := t.TempDir(), t.TempDir()
	err := errors.Join(
		os.WriteFile(filepath.Join(read, "file"), nil, 0o600),
		os.WriteFile(filepath.Join(write, "file"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	rules := confine.Rules{Read: []string{read}, User: os.Getuid(), Group: os.Getgid(), Address: 1 << 30, Files: 20}
	got := confined(t, program, rules)
	want := map[string]string{
		"read": "works", "write what is to be read": "no", "reserve little": "works", "reserve much": "cannot allocate memory",
		"open many": "too many open files", "lacking": got["lacking"], "read elsewhere": "no", "socket": "no",
	}
	compare(t, got, want)

	rules.Write, rules.FileSize = write, 1<<20
	got = confined(t, program, rules)
	want["write"], want["rename"] = "works", "works"
	if strings.Contains(got["lacking"], "landlock") {
		for _, what := range []string{"write what is to be read", "read elsewhere"} {
			delete(want, what)
			delete(got, what)
		}
	}
	compare(t, got, want)
}

func TestWhatOneLayerLacksAnotherRefuses(t *testing.T) {
	program := build(t)
	read := t.TempDir()
	if err := os.WriteFile(filepath.Join(read, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rules := confine.Rules{Read: []string{read}, User: os.Getuid(), Group: os.Getgid(), Address: 1 << 30, Files: 20}
	if lacking := confined(t, program, rules)["lacking"]; lacking != "[]" {
		t.Skipf("this machine itself lacks %s", lacking)
	}
	for _, tt := range []struct {
		without                        []string
		lacking                        string
		write, readElsewhere, toSocket string
	}{
		{[]string{"landlock"}, "[landlock]", "no", "works", "no"},
		{[]string{"landlock-filtered", "openat2-filtered"}, "[landlock]", "no", "works", "no"},
		{[]string{"seccomp"}, "[seccomp]", "no", "no", "works"},
		{[]string{"seccomp-filtered", "openat2"}, "[seccomp]", "no", "no", "works"},
		{[]string{"landlock", "seccomp"}, "[landlock seccomp]", "works", "works", "works"}, // as far as the user may
	} {
		compare(t, confined(t, program, rules, tt.without...), map[string]string{
			"read": "works", "reserve little": "works", "reserve much": "cannot allocate memory", "open many": "too many open files",
			"lacking": tt.lacking, "write what is to be read": tt.write, "read elsewhere": tt.readElsewhere, "socket": tt.toSocket,
		})
	}
}

// confined runs the program with rules, on a system without something, and returns
// how its tries went.
func confined(t *testing.T, program string, rules confine.Rules, without ...string) map[string]string {
	t.Helper()
	text, err := json.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{string(text)}, without...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// compare wants each try to have gone as it should; "no" is permission denied, in
// either of its words.
func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for what, w := range want {
		g := got[what]
		refused := strings.HasSuffix(g, "operation not permitted") || strings.HasSuffix(g, "permission denied")
		if w == "no" && !refused || w != "no" && !strings.HasSuffix(g, w) {
			t.Errorf("%s: got %q, want %q", what, g, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %q", got)
	}
}

func TestFactsNameWhatIsLacking(t *testing.T) {
	if got := (confine.Facts{Landlock: 3, Seccomp: true, Address: 1}).Lacking(); got != nil {
		t.Errorf("got %q of a process that has it all", got)
	}
	if got, want := (confine.Facts{}).Lacking(), []string{"landlock", "seccomp", "RLIMIT_AS"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
