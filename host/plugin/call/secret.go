package call

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/wr-build/wr/sdk/go/abi"
)

// secretPrefix begins the variables that hold secrets: WR_SECRET_NPM_TOKEN is
// the secret NPM_TOKEN.
const secretPrefix = "WR_SECRET_"

// maxSecret is the length of the longest secret in bytes.
const maxSecret = 64 << 10

// minHidden is the length of the shortest secret that is hidden in texts: a
// shorter one would hide what is none.
const minHidden = 6

var secretName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

// Secrets are the secrets of the user who runs wr: those of the environment,
// and files in a directory that nobody else may read. It remembers what it has
// handed out, and hides that in texts. It is safe for concurrent use.
type Secrets struct {
	LookupEnv func(name string) (string, bool)
	Dir       string // a file for each, by its name; "" = none

	mutex sync.Mutex
	given map[string]bool // guarded by mutex: values
}

// Get returns a secret. One that is empty is none: CI sets variables for secrets that
// a job does not get, and with an empty token a plugin would go on as a stranger.
func (s *Secrets) Get(name string) (string, error) {
	if !secretName.MatchString(name) {
		return "", invalid(fmt.Sprintf("%q cannot be the name of a secret", name))
	}
	value, set := s.LookupEnv(secretPrefix + name)
	if set && value == "" {
		return "", fmt.Errorf("there is no secret %s: %s%s is empty", name, secretPrefix, name)
	}
	if !set {
		var err error
		if value, err = s.read(name); err != nil {
			return "", err
		}
	}
	s.remember(value)
	return value, nil
}

// read reads a secret from its file.
func (s *Secrets) read(name string) (string, error) {
	if s.Dir == "" {
		return "", fmt.Errorf("there is no secret %s: set %s%s", name, secretPrefix, name)
	}
	missing := fmt.Errorf("there is no secret %s: set %s%s, or write it to %s", name, secretPrefix, name, filepath.Join(s.Dir, name))
	root, err := os.OpenRoot(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", missing
	} else if err != nil {
		return "", err
	}
	defer root.Close()
	file, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", missing
	} else if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the secret %s is not a file that only you may read: chmod 600 %s", name, filepath.Join(s.Dir, name))
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err == nil && len(data) > maxSecret {
		err = fmt.Errorf("the secret %s has more than %d bytes", name, maxSecret)
	}
	value := strings.TrimRight(string(data), "\r\n")
	if err == nil && value == "" {
		err = fmt.Errorf("there is no secret %s: %s is empty", name, filepath.Join(s.Dir, name))
	}
	return value, err
}

// remember has a value hidden from now on.
func (s *Secrets) remember(value string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.given == nil {
		s.given = map[string]bool{}
	}
	for part := range strings.Lines(value) {
		if part = strings.TrimSpace(part); len(part) >= minHidden {
			s.given[part] = true
		}
	}
}

// Hide replaces secrets that were handed out in a text, line by line of each.
func (s *Secrets) Hide(text string) string {
	if s == nil {
		return text
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	values := make([]string, 0, len(s.given))
	for value := range s.given {
		values = append(values, value)
	}
	// The longest first: one that holds another is hidden whole.
	slices.SortFunc(values, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, value := range values {
		text = strings.ReplaceAll(text, value, "***")
	}
	return text
}

// secret is a granted secret.
func (f *Functions) secret(_ context.Context, p abi.SecretParams) (abi.SecretResult, error) {
	value, err := f.grantedSecret(p.Name)
	return abi.SecretResult{Value: value}, err
}

func (f *Functions) grantedSecret(name string) (string, error) {
	if err := allow(f.Grants, abi.CapSecret, name); err != nil {
		return "", err
	}
	if f.Secrets == nil {
		return "", nothing("a secret")
	}
	return f.Secrets.Get(name)
}
