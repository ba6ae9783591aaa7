package call_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/call"
)

func TestASecretComesFromTheEnvironmentElseFromAFileOfTheUser(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "FILED"), []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &call.Secrets{Dir: dir, LookupEnv: func(name string) (string, bool) { return "from " + name, name == "WR_SECRET_SET" }}
	for name, want := range map[string]string{"SET": "from WR_SECRET_SET", "FILED": "from a file"} {
		if got, err := s.Get(name); err != nil || got != want {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestSecretsThatAreNotHandedOut(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "passwd")
	for _, err := range []error{
		os.WriteFile(outside, []byte("root"), 0o600),
		os.Symlink(outside, filepath.Join(dir, "LINK")),
		os.WriteFile(filepath.Join(dir, "OPEN"), []byte("x"), 0o644),
		os.WriteFile(filepath.Join(dir, "LARGE"), make([]byte, 1<<20), 0o600),
		os.Mkdir(filepath.Join(dir, "DIR"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := &call.Secrets{Dir: dir, LookupEnv: func(string) (string, bool) { return "", false }}
	for name, want := range map[string]string{
		"MISSING": "set WR_SECRET_MISSING, or write it to", "OPEN": "chmod 600", "LARGE": "more than", "DIR": "chmod 600",
		"LINK": "escapes", "../x": "cannot be the name", "": "cannot be the name",
	} {
		if got, err := s.Get(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v, want an error with %q", name, got, err, want)
		}
	}
}

func TestASecretThatIsEmptyIsNone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"EMPTY": "\n", "FILED": "from a file"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &call.Secrets{Dir: dir, LookupEnv: func(name string) (string, bool) { return "", name == "WR_SECRET_FILED" }}
	for name, want := range map[string]string{"FILED": "there is no secret FILED: WR_SECRET_FILED is empty", "EMPTY": "there is no secret EMPTY: " + dir + "/EMPTY is empty"} {
		if got, err := s.Get(name); err == nil || err.Error() != want {
			t.Errorf("%s: got %q, %v, want %s", name, got, err, want)
		}
	}
}

func TestSecretsAreHiddenLineByLineAndTheLongestFirst(t *testing.T) {
	values := map[string]string{"WR_SECRET_A": "abcdef", "WR_SECRET_B": "abcdefgh", "WR_SECRET_KEY": "-----BEGIN\nline two of it\n", "WR_SECRET_S": "abc"}
	s := &call.Secrets{LookupEnv: func(name string) (string, bool) { return values[name], true }}
	for _, name := range []string{"A", "B", "KEY", "S"} {
		if _, err := s.Get(name); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Hide("abcdefgh abcdef abc line two of it, -----BEGIN"); got != "*** *** abc ***, ***" {
		t.Errorf("got %q", got)
	}
	var none *call.Secrets
	if got := none.Hide("abc"); got != "abc" {
		t.Errorf("got %q", got)
	}
}
