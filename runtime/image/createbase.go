package image

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/moby/sys/mountinfo"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Create makes a base from a distribution's packages and stores it, replacing
// one of the same name. The same packages give the same digest on every
// machine: its files are dated no later than the newest of the releases it was
// made from. It needs root and mmdebstrap. progress gets lines for the user.
func (b *Bases) Create(ctx context.Context, base Base, progress func(string)) (spec.Image, error) {
	if progress == nil {
		progress = func(string) {}
	}
	base, err := base.checked(os.Geteuid(), exec.LookPath)
	if err != nil {
		return spec.Image{}, err
	}
	dir, err := os.MkdirTemp(b.Scratch, "wr-base-")
	if err != nil {
		return spec.Image{}, fmt.Errorf("make base %s: %w", base.Ref, err)
	}
	defer removeScratch(dir, progress)
	image, err := b.create(ctx, base, dir, progress)
	if ctx.Err() != nil {
		return spec.Image{}, context.Cause(ctx)
	}
	return image, err
}

// create makes a base with its files in dir.
func (b *Bases) create(ctx context.Context, base Base, dir string, progress func(string)) (spec.Image, error) {
	apt, err := newApt(ctx, dir, base)
	if err != nil {
		return spec.Image{}, err
	}
	progress("reading the releases of " + base.Suite)
	release, err := apt.resolve(ctx)
	if err != nil {
		return spec.Image{}, err
	}
	m := &mmdebstrap{dir: dir, base: base, release: release, apt: apt, progress: progress}
	layer := func(w io.Writer) error {
		return m.run(ctx, func(r io.Reader) error {
			return rewriteLayer(w, r, release.epoch, []layerFile{{"etc/apt/sources.list.d/" + release.vendor.file, release.canonical()}})
		})
	}
	return b.store(ctx, base, release, layer)
}

// checked returns the base in its canonical form, or says what it or this
// machine lacks.
func (b Base) checked(uid int, lookPath func(string) (string, error)) (Base, error) {
	if _, err := normalise(b.Ref); err != nil {
		return b, err
	}
	if uid != 0 {
		return b, &fault.Error{
			Code:    "base.need_root",
			Message: "making a base image needs root: packages are unpacked with their owners and set up in a chroot",
			Next:    fmt.Sprintf("sudo wr image base create %s --suite %s --include %s", b.Ref, b.Suite, strings.Join(b.Include, ",")),
		}
	}
	for _, tool := range []string{"mmdebstrap", "apt-get"} {
		if _, err := lookPath(tool); err != nil {
			return b, &fault.Error{
				Code:    "base.no_" + strings.ReplaceAll(tool, "-", "_"),
				Message: "making a base image needs " + tool + ", which is not installed",
				Next:    "apt-get install mmdebstrap (on Debian, Ubuntu and their kin; elsewhere take bases from a registry)",
				Err:     err,
			}
		}
	}
	if !suiteName().MatchString(b.Suite) {
		return b, unknownSuite(b.Suite, "")
	}
	for _, name := range b.Include {
		if !packageName().MatchString(name) {
			return b, unknownPackage(name, "", "")
		}
	}
	return b.canonical(), nil
}

// debianArch is Debian's name for one of Go's architectures.
func debianArch(arch string) string {
	names := map[string]string{"386": "i386", "arm": "armhf", "mipsle": "mipsel", "mips64le": "mips64el", "ppc64le": "ppc64el"}
	if name, ok := names[arch]; ok {
		return name
	}
	return arch
}

// ociArch is the name that images use for one of Debian's architectures.
func ociArch(arch string) string {
	for _, name := range []string{"386", "arm", "mipsle", "mips64le", "ppc64le"} {
		if debianArch(name) == arch {
			return name
		}
	}
	return arch
}

// suiteName is what the name of a release may look like.
func suiteName() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9.-]*$`) }

// packageName is what a package to install may look like: a name, perhaps with
// an architecture and a version. It keeps out options and apt's patterns.
func packageName() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[A-Za-z0-9.+~:-]+)?$`)
}

// unknownSuite is the fault for a release that the mirror does not have.
func unknownSuite(suite, details string) error {
	return &fault.Error{
		Code:    "base.unknown_suite",
		Class:   fault.Usage,
		Message: fmt.Sprintf("no release is called %q", suite),
		Hint:    fault.Closest(suite, []string{"buster", "bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "jammy", "noble"}),
		Next:    "give --suite a release that the mirror has, or --mirror a mirror that has it",
		Details: details,
	}
}

// unknownPackage is the fault for a package that the release does not have.
func unknownPackage(name, suite, details string) error {
	message := fmt.Sprintf("%q is not the name of a package", name)
	if suite != "" {
		message = fmt.Sprintf("%s has no package %q", suite, name)
	}
	return &fault.Error{
		Code:    "base.unknown_package",
		Class:   fault.Usage,
		Message: message,
		Next:    "mend --include; apt-cache search finds packages by words",
		Details: details,
	}
}

// removeScratch removes the files of a base that was made. It does not touch
// them while anything is mounted below: a forgotten /dev is the host's own.
func removeScratch(dir string, progress func(string)) {
	actual, err := filepath.EvalSymlinks(dir) // as the kernel calls it
	var mounts []*mountinfo.Info
	if err == nil {
		mounts, err = mountinfo.GetMounts(mountinfo.PrefixFilter(actual))
	}
	if err != nil || len(mounts) > 0 {
		progress("not removed, as something is mounted below it: " + dir)
		return
	}
	if err := os.RemoveAll(dir); err != nil {
		progress("not removed: " + err.Error())
	}
}
