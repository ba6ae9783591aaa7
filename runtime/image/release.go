package image

import (
	"fmt"
	"strings"
	"time"
)

// vendor is a distribution whose packages a base can be made from.
type vendor struct {
	origin     string            // in its release files
	components []string          // of which packages are taken
	archive    string            // public mirror
	security   string            // public mirror of its security fixes
	ports      map[string]string // public mirror of an architecture that lies elsewhere
	keyring    string            // inside the base
	file       string            // sources inside the base
}

// vendors are the distributions that wr knows.
func vendors() []vendor {
	ports := "http://ports.ubuntu.com/ubuntu-ports"
	return []vendor{
		{
			origin: "Debian", components: []string{"main"}, file: "debian.sources",
			archive: "http://deb.debian.org/debian", security: "http://deb.debian.org/debian-security",
			keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
		},
		{
			origin: "Ubuntu", components: []string{"main", "universe"}, file: "ubuntu.sources",
			archive: "http://archive.ubuntu.com/ubuntu", security: "http://security.ubuntu.com/ubuntu",
			ports:   map[string]string{"arm64": ports, "armhf": ports, "ppc64el": ports, "riscv64": ports, "s390x": ports},
			keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
		},
	}
}

// defaultSources are the public sources of a Debian release, for a machine
// that is configured for another one. Updates and security fixes are optional:
// a release in the making has none.
func defaultSources(suite string) []aptSource {
	debian := vendors()[0]
	return []aptSource{
		{uri: debian.archive, suite: suite, components: debian.components, signedBy: debian.keyring},
		{uri: debian.archive, suite: suite + "-updates", components: debian.components, signedBy: debian.keyring, optional: true},
		{uri: debian.security, suite: suite + "-security", components: debian.components, signedBy: debian.keyring, optional: true},
	}
}

// release is what a base is made from.
type release struct {
	suite   string
	arch    string
	vendor  vendor
	sources []aptSource
	epoch   time.Time // newest date of the release files: no file of the base is younger
}

// canonical is the list of public sources for inside the base: nothing of this
// machine's mirrors stays in an image.
func (r release) canonical() string {
	archive, security := r.vendor.archive, r.vendor.security
	if ports, ok := r.vendor.ports[r.arch]; ok {
		archive, security = ports, ports
	}
	var suites, fixes []string
	for _, s := range r.sources {
		if strings.Contains(s.suite, "security") || strings.HasSuffix(s.suite, "/updates") {
			fixes = append(fixes, s.suite)
		} else {
			suites = append(suites, s.suite)
		}
	}
	text := r.stanza(archive, suites)
	if len(fixes) > 0 {
		text += "\n" + r.stanza(security, fixes)
	}
	return text
}

// stanza is one mirror in deb822 form.
func (r release) stanza(uri string, suites []string) string {
	return fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\nSigned-By: %s\n",
		uri, strings.Join(suites, " "), strings.Join(r.vendor.components, " "), r.vendor.keyring)
}

// releaseFile is the head of an InRelease file.
type releaseFile struct {
	origin string
	date   time.Time
}

// parseRelease reads the head of an InRelease file, whose signature apt has
// checked.
func parseRelease(text string) (releaseFile, error) {
	if _, signed, ok := strings.Cut(text, "-----BEGIN PGP SIGNED MESSAGE-----"); ok {
		_, text, _ = strings.Cut(signed, "\n\n")
	}
	stanzas := deb822(text)
	if len(stanzas) == 0 {
		return releaseFile{}, fmt.Errorf("release file is empty")
	}
	date, err := time.Parse(time.RFC1123, strings.Replace(stanzas[0]["date"], "UTC", "GMT", 1))
	if err != nil {
		date, err = time.Parse("Mon, _2 Jan 2006 15:04:05 MST", stanzas[0]["date"])
	}
	if err != nil {
		return releaseFile{}, fmt.Errorf("date of release file: %w", err)
	}
	return releaseFile{origin: stanzas[0]["origin"], date: date.UTC()}, nil
}
