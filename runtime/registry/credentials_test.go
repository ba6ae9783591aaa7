package registry

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// helper is a credential helper that knows one host.
const helper = `#!/bin/sh
read -r host
case "$host" in
helped.test) echo '{"ServerURL":"helped.test","Username":"grace","Secret":"hopper"}' ;;
token.test) echo '{"ServerURL":"token.test","Username":"<token>","Secret":"refresh"}' ;;
*) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`

// dockerConfig is a directory with a config.json and a helper named test.
func dockerConfig(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("ada:secret"))
	write(t, filepath.Join(dir, "config.json"), strings.ReplaceAll(text, "ADA", auth), 0o600)
	write(t, filepath.Join(dir, "docker-credential-test"), helper, 0o755)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func TestCredentialsAreThoseOfDocker(t *testing.T) {
	for name, tt := range map[string]struct {
		config, host, user, secret string
	}{
		"by host":                   {`{"auths":{"reg.test":{"auth":"ADA"}}}`, "reg.test", "ada", "secret"},
		"by host and port":          {`{"auths":{"reg.test:5000":{"auth":"ADA"}}}`, "reg.test:5000", "ada", "secret"},
		"by an address with a path": {`{"auths":{"https://reg.test/v1/":{"auth":"ADA"}}}`, "reg.test", "ada", "secret"},
		"of another port":           {`{"auths":{"reg.test:5000":{"auth":"ADA"}}}`, "reg.test:5001", "", ""},
		"of another host":           {`{"auths":{"reg.test":{"auth":"ADA"}}}`, "other.test", "", ""},
		"a token":                   {`{"auths":{"reg.test":{"auth":"ADA","identitytoken":"refresh"}}}`, "reg.test", "", "refresh"},
		"of Docker Hub":             {`{"auths":{"https://index.docker.io/v1/":{"auth":"ADA"}}}`, "registry-1.docker.io", "ada", "secret"},
		"of a helper for one host":  {`{"credHelpers":{"helped.test":"test"}}`, "helped.test", "grace", "hopper"},
		"of a helper for all hosts": {`{"credsStore":"test"}`, "helped.test", "grace", "hopper"},
		"of a helper with a token":  {`{"credsStore":"test"}`, "token.test", "", "refresh"},
		"a helper that knows none":  {`{"credsStore":"test"}`, "other.test", "", ""},
		"a helper before a file":    {`{"credHelpers":{"helped.test":"test"},"auths":{"helped.test":{"auth":"ADA"}}}`, "helped.test", "grace", "hopper"},
		"an empty file":             {`{}`, "reg.test", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			user, secret, err := credentials(dockerConfig(t, tt.config))(tt.host)
			if err != nil || user != tt.user || secret != tt.secret {
				t.Errorf("got %q, %q, %v, want %q, %q", user, secret, err, tt.user, tt.secret)
			}
		})
	}
}

func TestWithoutAPlaceForThemThereAreNoCredentials(t *testing.T) {
	for name, dir := range map[string]string{"no directory": "", "no file": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			if user, secret, err := credentials(dir)("reg.test"); user+secret != "" || err != nil {
				t.Errorf("got %q, %q, %v", user, secret, err)
			}
		})
	}
}

func TestBrokenCredentialsAreNoLackOfThem(t *testing.T) {
	for name, config := range map[string]string{
		"no JSON":        `{"auths":`,
		"no such helper": `{"credHelpers":{"reg.test":"that-nobody-has"}}`,
		"no user":        `{"auths":{"reg.test":{"auth":"bm9jb2xvbg=="}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := credentials(dockerConfig(t, config))("reg.test"); !errors.Is(err, errCredentials) {
				t.Errorf("got %v, want an error about credentials", err)
			}
		})
	}
}
