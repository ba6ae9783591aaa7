// Package capability is what plugins may ask for and be granted: which names
// there are, what their values look like, when one covers another, and sets of
// them with a digest. It grants nothing itself.
package capability

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/sdk/go/abi"
)

// maxValue is the length of the longest value in bytes.
const maxValue = 500

// kind is what is to be known of a capability.
type kind struct {
	value func(string) error  // says what is wrong with a value; nil = it takes none
	words func(string) string // what it lets a plugin do, for people
}

// kindOf returns the kind with that name.
func kindOf(name string) (kind, bool) {
	switch name {
	case abi.CapRead:
		return kind{glob, func(v string) string { return "read " + v }}, true
	case abi.CapOut:
		return kind{directory, func(v string) string { return "write files below " + v }}, true
	case abi.CapExec:
		return kind{program, execWords}, true
	case abi.CapHTTP:
		return kind{exchange, func(v string) string { return "send requests: " + v }}, true
	case abi.CapSecret:
		return kind{secret, func(v string) string { return "use the secret " + v }}, true
	case abi.CapGit:
		return kind{words: func(string) string { return "see commit, branch, tags and changed files" }}, true
	case abi.CapCache:
		return kind{words: func(string) string { return "keep data of its own between runs" }}, true
	case abi.CapClock:
		return kind{words: func(string) string { return "see the real time" }}, true
	case abi.CapRandom:
		return kind{words: func(string) string { return "have real randomness" }}, true
	}
	return kind{}, false
}

// Names are the names that there are, sorted.
func Names() []string {
	return []string{
		abi.CapCache, abi.CapClock, abi.CapExec, abi.CapOut, abi.CapRead,
		abi.CapGit, abi.CapHTTP, abi.CapRandom, abi.CapSecret,
	}
}

// Known says that there is a capability with that name.
func Known(name string) bool { return slices.Contains(Names(), name) }

// Check says what is wrong with a capability as plugins ask for it and as it is
// granted: each has one spelling.
func Check(c abi.Capability) error {
	k, known := kindOf(c.Name)
	switch {
	case !known:
		return fmt.Errorf("there is no capability %q", c.Name)
	case k.value == nil && c.Value != "":
		return fmt.Errorf("%s takes no value", c.Name)
	case k.value == nil:
		return nil
	case c.Value == "":
		return fmt.Errorf("%s needs a value, such as %s", c.Name, example(c.Name))
	}
	if err := plain(c.Value); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if err := k.value(c.Value); err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	return nil
}

// CheckBound says what is wrong with a capability that bounds others: without a
// value it stands for all with its name, and * in the values of exec, http and
// secret for any part of a name.
func CheckBound(c abi.Capability) error {
	k, known := kindOf(c.Name)
	switch {
	case known && k.value != nil && c.Value == "":
		return nil
	case known && strings.Contains(c.Value, "*") && slices.Contains([]string{abi.CapExec, abi.CapHTTP, abi.CapSecret}, c.Name):
		return plain(c.Value)
	}
	return Check(c)
}

// Words say what a capability lets a plugin do.
func Words(c abi.Capability) string {
	if k, known := kindOf(c.Name); known {
		return k.words(c.Value)
	}
	return c.String()
}

func execWords(value string) string {
	program, project, other := strings.Cut(value, "@")
	if other {
		return "run " + program + " in the container of " + project
	}
	return "run " + program + " in the project's container"
}

// example is a value of the capability with that name.
func example(name string) string {
	return map[string]string{
		abi.CapRead: "fs.read:**/*.sh", abi.CapOut: "fs.out:build", abi.CapExec: "exec:ruff",
		abi.CapHTTP: "http:GET https://api.example.com", abi.CapSecret: "secret:NPM_TOKEN",
	}[name]
}

// plain refuses what would not be shown as it is.
func plain(value string) error {
	if len(value) > maxValue {
		return fmt.Errorf("the value has more than %d bytes", maxValue)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) || strings.TrimSpace(value) != value {
		return fmt.Errorf("%q has characters that do not show", value)
	}
	return nil
}

func glob(value string) error {
	if err := below(value); err != nil {
		return err
	}
	if strings.Contains(value, `\`) {
		return fmt.Errorf(`%q has a \; names with special characters need a ? in its place`, value)
	}
	return scope.Check(value)
}

func directory(value string) error {
	if strings.ContainsAny(value, `*?[{\`) {
		return fmt.Errorf("%q is a directory, not a glob", value)
	}
	if Reserved(value) {
		return fmt.Errorf("%q is git's or wr's own, where no plugin may write", value)
	}
	return below(value)
}

// below refuses paths that leave the root or have a shorter spelling.
func below(value string) error {
	if path.Clean(value) != value || path.IsAbs(value) || value == ".." || strings.HasPrefix(value, "../") {
		return fmt.Errorf("%q is not a plain path below the workspace's root", value)
	}
	return nil
}

func program(value string) error {
	name, project, other := strings.Cut(value, "@")
	if name == "" || strings.ContainsAny(name, " *") {
		return fmt.Errorf("%q is not a program such as ruff, or ruff@tools/lint for that of another project", value)
	}
	if strings.Contains(project, "*") {
		return fmt.Errorf("%q: a project is named without wildcards", value)
	}
	if !other {
		return nil
	}
	return below(project)
}

// shapes of values, compiled when one is first looked at.
var (
	secretShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`) })
	methodShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z]{1,20}$`) })
	hostShape   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`) })
)

func secret(value string) error {
	if !secretShape().MatchString(value) {
		return fmt.Errorf("%q cannot be the name of a secret", value)
	}
	return nil
}

func exchange(value string) error {
	method, origin, _ := strings.Cut(value, " ")
	if !methodShape().MatchString(method) {
		return fmt.Errorf("%q does not begin with a method, such as GET https://api.example.com", value)
	}
	want, err := originOf(origin)
	if err != nil {
		return fmt.Errorf("%q: %w", value, err)
	}
	if origin != want {
		return fmt.Errorf("%q: write %s %s", value, method, want)
	}
	return nil
}

// originOf is the one spelling of an origin.
func originOf(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	usual, ok := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	host := strings.ToLower(u.Hostname())
	address, notAddress := netip.ParseAddr(host)
	switch {
	case !ok || host == "":
		return "", errors.New("an origin is https:// or http:// and a host")
	case u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("an origin has no user, path or query")
	case notAddress != nil && !hostShape().MatchString(host):
		return "", fmt.Errorf("%q is not the name of a host", host)
	case notAddress == nil && address.Is6():
		host = "[" + host + "]"
	}
	if port := u.Port(); port != "" && port != usual {
		host += ":" + port
	}
	return u.Scheme + "://" + host, nil
}
