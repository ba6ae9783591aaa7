package image

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// machine is an /etc/apt in both formats, with sources of others.
func machine() fstest.MapFS {
	return fstest.MapFS{
		"sources.list": {Data: []byte(`# the mirror of the house
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main contrib # near
deb-src http://mirror.example/debian bookworm main
#deb http://off.example/debian bookworm main
deb	http://mirror.example/debian-security	bookworm-security	main
deb http://mirror.example/debian bookworm-backports main
deb [trusted=yes] file:/srv/exact ./
deb https://download.docker.example/linux/debian bookworm stable
`)},
		"sources.list.d/updates.sources": {Data: []byte(`Types: deb deb-src
URIs: http://a.example/debian http://b.example/debian
# both
Suites: bookworm-updates trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`)},
		"sources.list.d/node.sources":           {Data: []byte("Types: deb\nURIs: https://node.example\nSuites: nodistro\nComponents: main\n")},
		"sources.list.d/disabled.list.dpkg-new": {Data: []byte("deb http://off.example/debian bookworm main\n")},
	}
}

func TestHostSourcesOfASuite(t *testing.T) {
	key := "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----"
	want := []aptSource{
		{uri: "http://mirror.example/debian", suite: "bookworm", components: []string{"main", "contrib"}, signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg"},
		{uri: "http://mirror.example/debian-security", suite: "bookworm-security", components: []string{"main"}},
		{uri: "http://a.example/debian", suite: "bookworm-updates", components: []string{"main"}, signedBy: strings.TrimSpace(key)},
		{uri: "http://b.example/debian", suite: "bookworm-updates", components: []string{"main"}, signedBy: strings.TrimSpace(key)},
	}
	if got := hostSources(machine(), "bookworm"); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestCandidates(t *testing.T) {
	cases := []struct {
		name string
		base Base
		want []string
	}{
		{"this machine's sources", Base{Suite: "bookworm"}, []string{"http://mirror.example/debian bookworm", "http://mirror.example/debian-security bookworm-security", "http://a.example/debian bookworm-updates", "http://b.example/debian bookworm-updates"}},
		{"the user's mirror", Base{Suite: "bookworm", Mirror: "http://m.example"}, []string{"http://m.example bookworm"}},
		{"a release that the machine does not have", Base{Suite: "bullseye"}, []string{"http://deb.debian.org/debian bullseye", "http://deb.debian.org/debian bullseye-updates", "http://deb.debian.org/debian-security bullseye-security"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range (&apt{base: c.base, etc: machine()}).candidates() {
				got = append(got, s.uri+" "+s.suite)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSourceLine(t *testing.T) {
	s := aptSource{uri: "http://m.example/debian", suite: "bookworm", components: []string{"main", "contrib"}, signedBy: "/k.gpg", trusted: true}
	if got, want := s.line(), "deb [signed-by=/k.gpg trusted=yes] http://m.example/debian bookworm main contrib\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	again := parseOneLine(s.line())
	if len(again) != 1 || !reflect.DeepEqual(again[0], s) {
		t.Errorf("got %+v back", again)
	}
}

func TestParseRelease(t *testing.T) {
	signed := "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nOrigin: Debian\nSuite: oldstable\nDate: Sat, 11 Jul 2026 10:16:37 UTC\nMD5Sum:\n 0ed6 1 x\n-----BEGIN PGP SIGNATURE-----\n\nabc\n"
	plain := "Origin: Ubuntu\nDate: Thu,  2 Jul 2026  1:16:37 UTC\n"
	for text, want := range map[string]releaseFile{
		signed: {"Debian", time.Date(2026, 7, 11, 10, 16, 37, 0, time.UTC)},
		plain:  {"Ubuntu", time.Date(2026, 7, 2, 1, 16, 37, 0, time.UTC)},
	} {
		got, err := parseRelease(text)
		if err != nil || got.origin != want.origin || !got.date.Equal(want.date) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := parseRelease("Origin: x\n"); err == nil {
		t.Error("a release file without a date was read")
	}
	if _, err := parseRelease(""); err == nil {
		t.Error("an empty release file was read")
	}
}

func TestCanonicalSources(t *testing.T) {
	ubuntu := release{arch: "arm64", vendor: vendors()[1], sources: []aptSource{{suite: "noble"}, {suite: "noble-security"}}}
	const want = "Types: deb\nURIs: http://ports.ubuntu.com/ubuntu-ports\nSuites: noble\nComponents: main universe\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n\n" +
		"Types: deb\nURIs: http://ports.ubuntu.com/ubuntu-ports\nSuites: noble-security\nComponents: main universe\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"
	if got := ubuntu.canonical(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	sid := release{arch: "amd64", vendor: vendors()[0], sources: []aptSource{{suite: "sid"}}}
	if got := sid.canonical(); strings.Contains(got, "security") {
		t.Errorf("got %q for a release without security fixes", got)
	}
}

func TestAcquireConfigTakesTheWayToTheMirrorOnly(t *testing.T) {
	got := acquireConfig(`APT "";
Acquire "";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::Check-Date "false";
Acquire::GzipIndexes "true";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Packages::MetaKey "x";
DPkg::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb || true";
`)
	want := "Acquire::http::Proxy \"http://proxy.example:3128\";\nAcquire::Check-Date \"false\";\n" + ownConfig
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestComplaintsHaveNoPasswords(t *testing.T) {
	got := complaints("Hit:1 http://x\nErr:2 http://me:secret@mirror.example bookworm Release\n  404  Not Found\nE: gone\nE: mmdebstrap failed to run\n")
	if want := "Err:2 http://***@mirror.example bookworm Release\n  404  Not Found\nE: gone"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := complaints("no\nwords of apt\n"); got != "no\nwords of apt" {
		t.Errorf("got %q", got)
	}
}

func TestPackageNames(t *testing.T) {
	for name, want := range map[string]bool{
		"python3": true, "libc6:i386": true, "g++": true, "python3=3.11.2-1+b1": true, "xz=1:2.3~rc1-1": true,
		"": false, "-o": false, "a b": false, "?essential": false, "a'": false, "a;b": false, "A": false, "x/bookworm": false,
	} {
		if got := packageName().MatchString(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

func TestArchitectureNames(t *testing.T) {
	for oci, debian := range map[string]string{"amd64": "amd64", "arm64": "arm64", "386": "i386", "arm": "armhf", "ppc64le": "ppc64el", "s390x": "s390x"} {
		if got := debianArch(oci); got != debian {
			t.Errorf("debianArch(%s): got %s, want %s", oci, got, debian)
		}
		if got := ociArch(debian); got != oci {
			t.Errorf("ociArch(%s): got %s, want %s", debian, got, oci)
		}
	}
}
