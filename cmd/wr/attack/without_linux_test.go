package attack

import (
	"strings"
	"sync"
	"testing"

	"github.com/wr-build/wr/host/plugin/confine"
)

// without has a field's wr run on a system that lacks something.
func (f *field) without(names string) {
	f.t.Helper()
	launcher.once.Do(func() { launcher.err = built.program("without", "./testdata/without", "GOOS=", "GOARCH=") })
	f.must(launcher.err)
	f.prefix = []string{built.path("without"), names}
}

// launcher is the program that runs others on such a system, built once.
var launcher struct {
	once sync.Once
	err  error
}

// TestTheSandboxHoldsByItsOtherLayers has plugins try on systems that lack a layer what
// they try elsewhere.
func TestTheSandboxHoldsByItsOtherLayers(t *testing.T) {
	if lacking := confine.Lacking(); len(lacking) > 0 {
		t.Skipf("this machine itself lacks %q", lacking)
	}
	for names, lacking := range map[string]string{
		"landlock":                           "without landlock: ",
		"seccomp":                            "without seccomp: ",
		"landlock,seccomp,openat2":           "without landlock and seccomp: ",
		"landlock-filtered,seccomp-filtered": "without landlock and seccomp: ",
		"landlock-filtered,seccomp,openat2-filtered": "without landlock and seccomp: ",
	} {
		t.Run(names, func(t *testing.T) {
			attack{
				plant: func(f *field) {
					f.without(names)
					plantLinks(f)
				},
				tries: append(
					each("read", missing, "/etc/hostname", "TOP/outside/canary", "/src/../../outside/canary", "/src/p/rel", "/src/p/abs", "/src/p/etc/hostname", "/src/p/chain", "/proc/self/environ", "/src/.env"),
					"write /src/p/rel = "+readOnly, "write /src/p/a.py = "+readOnly, "rm /src/p/a.py = "+readOnly, "read /src/p/a.py = x = 1  # TODO\n"),
				after: func(f *field) { f.saysWhatIsLacking(lacking) },
			}.run(t)
			attack{plant: func(f *field) { f.without(names) }, tries: []string{"hoard"}, code: "plugin.limit", says: []string{"memory"}}.run(t)
		})
	}
}

// saysWhatIsLacking asks wr what plugins are confined without.
func (f *field) saysWhatIsLacking(lacking string) {
	f.t.Helper()
	if o := f.wr("plugin", "verify"); o.code != 0 || !strings.Contains(o.stderr, lacking) || !strings.Contains(o.stderr, "plugin.unconfined") {
		f.t.Errorf("verify: exit %d: %s", o.code, o.stderr)
	}
	if o := f.wr("doctor"); !strings.Contains(o.stdout, lacking) {
		f.t.Errorf("doctor: exit %d: %s", o.code, o.stdout)
	}
	f.prefix = nil
	if o := f.wr("plugin", "verify"); o.code != 0 || o.stderr != "" {
		f.t.Errorf("verify where nothing is lacking: exit %d: %s", o.code, o.stderr)
	}
	if o := f.wr("doctor"); !strings.Contains(o.stdout, "confined by Landlock, seccomp") {
		f.t.Errorf("doctor where nothing is lacking: exit %d: %s", o.code, o.stdout)
	}
}
