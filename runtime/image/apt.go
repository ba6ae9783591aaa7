package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// apt asks this machine's apt about releases, with its proxies, credentials
// and keys, but with directories and a configuration of its own: nothing of
// the machine's state is read or changed.
type apt struct {
	dir    string
	base   Base
	config string // file: what mmdebstrap's apt must know as well
	etc    fs.FS  // /etc/apt
}

// newApt prepares apt in dir.
func newApt(ctx context.Context, dir string, base Base) (*apt, error) {
	a := &apt{dir: dir, base: base, config: filepath.Join(dir, "acquire.conf"), etc: os.DirFS("/etc/apt")}
	dump, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return nil, fmt.Errorf("read apt's configuration: %w", err)
	}
	return a, os.WriteFile(a.config, []byte(acquireConfig(string(dump))), 0o600)
}

// acquireConfig picks from a dump of apt's configuration how things are
// downloaded: proxies, timeouts, what is trusted, and where passwords lie.
func acquireConfig(dump string) string {
	var b strings.Builder
	for line := range strings.Lines(dump) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "Acquire::") || value == `"";` || ownBusiness().MatchString(name) {
			continue
		}
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	b.WriteString(ownConfig)
	return b.String()
}

// ownConfig is what apt is told beside the machine's settings. It downloads as
// root because the scratch directory is closed to others: what it holds may
// carry the passwords of mirrors and proxies.
const ownConfig = `Dir::Etc::netrc "/etc/apt/auth.conf";
Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
APT::Sandbox::User "root";
`

// ownBusiness matches settings of apt that say what is downloaded, not how.
func ownBusiness() *regexp.Regexp {
	return regexp.MustCompile(`^Acquire::(IndexTargets|Languages|GzipIndexes|CompressionTypes|Changelogs|cdrom)\b`)
}

// resolve finds the sources that make up the base's release.
func (a *apt) resolve(ctx context.Context) (release, error) {
	r := release{suite: a.base.Suite, arch: a.base.Arch}
	for i, s := range a.candidates() {
		file, err := a.fetch(ctx, i, &s)
		if s.optional && errors.Is(err, errNoRelease) {
			continue
		}
		if err != nil {
			return r, a.fetchFault(s, err)
		}
		v, ok := a.vendorOf(file)
		if !ok {
			continue // somebody else's packages for this release
		}
		if r.vendor.origin != "" && v.origin != r.vendor.origin {
			continue
		}
		s.components = intersect(s.components, v.components)
		r.vendor, r.sources = v, append(r.sources, s)
		if file.date.After(r.epoch) {
			r.epoch = file.date
		}
	}
	if !slices.ContainsFunc(r.sources, func(s aptSource) bool { return s.suite == r.suite }) {
		return r, unknownSuite(r.suite, "none of this machine's sources of packages has it")
	}
	return r, nil
}

// candidates are the sources to ask: the user's mirror, else this machine's
// for that release, else the public ones.
func (a *apt) candidates() []aptSource {
	if mirror := cmp.Or(a.base.Via, a.base.Mirror); mirror != "" {
		return []aptSource{{uri: mirror, suite: a.base.Suite, components: []string{"main", "universe"}}}
	}
	found := hostSources(a.etc, a.base.Suite)
	if slices.ContainsFunc(found, func(s aptSource) bool { return s.suite == a.base.Suite }) {
		return found
	}
	return defaultSources(a.base.Suite)
}

// vendorOf finds the distribution of a release. The user's own mirror is
// taken at his word and as Debian if it says nothing that wr knows.
func (a *apt) vendorOf(file releaseFile) (vendor, bool) {
	for _, v := range vendors() {
		if v.origin == file.origin {
			return v, true
		}
	}
	return vendors()[0], cmp.Or(a.base.Via, a.base.Mirror) != ""
}

// errNoRelease is a mirror that answers and does not have the release.
var errNoRelease = errors.New("the mirror does not have it")

// aptError is what apt said when it failed.
type aptError struct {
	output string
	err    error
}

// Error implements error.
func (e *aptError) Error() string { return e.output }

// Unwrap returns the cause.
func (e *aptError) Unwrap() error { return e.err }

// fetch downloads the release file of a source and lets apt check its
// signature. A key that is written out in the configuration becomes a file.
func (a *apt) fetch(ctx context.Context, i int, s *aptSource) (releaseFile, error) {
	dir := filepath.Join(a.dir, fmt.Sprintf("release%d", i))
	lists := filepath.Join(dir, "lists")
	if err := os.MkdirAll(filepath.Join(lists, "partial"), 0o755); err != nil {
		return releaseFile{}, err
	}
	if err := s.keyFile(filepath.Join(a.dir, fmt.Sprintf("key%d.asc", i))); err != nil {
		return releaseFile{}, err
	}
	config, err := a.updateConfig(dir, lists, *s)
	if err != nil {
		return releaseFile{}, err
	}
	command := exec.CommandContext(ctx, "apt-get", "update")
	command.Env = append(environment(a.dir), "APT_CONFIG="+config)
	output, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return releaseFile{}, context.Cause(ctx)
	}
	files, _ := filepath.Glob(filepath.Join(lists, "*Release"))
	if len(files) == 0 || err != nil {
		return releaseFile{}, newAptError(string(output))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		return releaseFile{}, err
	}
	return parseRelease(string(text))
}

// updateConfig writes the configuration of an update that downloads nothing
// but the release file of one source.
func (a *apt) updateConfig(dir, lists string, s aptSource) (string, error) {
	acquire, err := os.ReadFile(a.config)
	if err != nil {
		return "", err
	}
	list, config := filepath.Join(dir, "sources.list"), filepath.Join(dir, "apt.conf")
	if err := os.WriteFile(list, []byte(s.line()), 0o600); err != nil {
		return "", err
	}
	text := string(acquire) + fmt.Sprintf(`
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist %q;
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists %q;
Dir::Cache %q;
APT::Architecture %q;
APT::Architectures { %q; };
Acquire::Languages "none";
Acquire::IndexTargets::deb::Packages::DefaultEnabled "false";
`, list, lists+"/", dir, a.base.Arch, a.base.Arch)
	return config, os.WriteFile(config, []byte(text), 0o600)
}

// line is the source in the one-line format.
func (s aptSource) line() string {
	var options []string
	if s.signedBy != "" {
		options = append(options, "signed-by="+s.signedBy)
	}
	if s.trusted {
		options = append(options, "trusted=yes")
	}
	head := "deb"
	if len(options) > 0 {
		head += " [" + strings.Join(options, " ") + "]"
	}
	return fmt.Sprintf("%s %s %s %s\n", head, s.uri, s.suite, strings.Join(s.components, " "))
}

// keyFile writes a key that is part of the configuration to a file, and drops
// a keyring that is not there, so that apt's own keys serve.
func (s *aptSource) keyFile(path string) error {
	if strings.Contains(s.signedBy, "BEGIN PGP") {
		key := strings.TrimSpace(s.signedBy) + "\n"
		s.signedBy = path
		return os.WriteFile(path, []byte(key), 0o644) //nolint:gosec // a public key, read by apt's own user
	}
	if filepath.IsAbs(s.signedBy) {
		if _, err := os.Stat(s.signedBy); err != nil {
			s.signedBy = ""
		}
	}
	return nil
}

// newAptError keeps apt's own complaints.
func newAptError(output string) error {
	e := &aptError{output: complaints(output)}
	for _, sign := range []string{"does not have a Release file", "no longer has a Release file", "404  Not Found", "File not found"} {
		if strings.Contains(output, sign) {
			e.err = errNoRelease
		}
	}
	return e
}

// complaints are the errors and warnings in the output of apt, without
// passwords. What mmdebstrap says of its own end adds nothing.
func complaints(output string) string {
	complaint := regexp.MustCompile(`^(E|W|Err)[: ]|^  `)
	echo := regexp.MustCompile(`^E: (setup failed|mmdebstrap failed|apt-get .* failed|Problem executing scripts|Sub-process returned)`)
	var lines []string
	for line := range strings.Lines(output) {
		if complaint.MatchString(line) && !echo.MatchString(line) {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	if len(lines) == 0 {
		return redact(strings.TrimSpace(output))
	}
	return redact(strings.Join(lines, "\n"))
}

// redact removes credentials from URLs.
func redact(text string) string {
	return regexp.MustCompile(`://[^/@\s]+@`).ReplaceAllString(text, "://***@")
}

// fetchFault is the fault for a release file that could not be read.
func (a *apt) fetchFault(s aptSource, err error) error {
	e, ok := errors.AsType[*aptError](err)
	if !ok {
		return err
	}
	if s.suite == a.base.Suite && errors.Is(err, errNoRelease) {
		return unknownSuite(s.suite, e.output)
	}
	return &fault.Error{
		Code:    "base.mirror_unreachable",
		Message: fmt.Sprintf("cannot read the release %s from %s", s.suite, redact(s.uri)),
		Next:    "check the network and apt's sources and proxy, or give another mirror with --mirror",
		Details: e.output,
		Err:     err,
	}
}

// intersect keeps of a what is in b.
func intersect(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}
