package helper

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/wr-build/wr/runtime/spec/fault"
)

//go:embed all:embedded
var embedded embed.FS

// Unpack returns the helpers: those that this build carries, unpacked below
// stateDir and checked, the others from PATH. Once they are unpacked it costs
// a few stats. It is safe to call from several processes at once.
//
// A helper that is nowhere is part of the set as Missing: see Set.Require.
func Unpack(stateDir string) (Set, error) {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return Set{}, err
	}
	return finder{assets: assets, arch: runtime.GOARCH, noexec: noexec, search: search}.find(stateDir)
}

// UnpackPlugin returns the program that runs plugins, unpacked below dir and
// checked, or Missing where this build has none: wr itself is that program too.
func UnpackPlugin(dir string) (Helper, error) {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return Helper{}, err
	}
	return finder{assets: assets, arch: runtime.GOARCH, noexec: noexec}.plugin(dir, runtime.GOOS)
}

// Carried names the helpers that this build carries.
func Carried() []string {
	assets, err := fs.Sub(embedded, "embedded")
	if err != nil {
		return nil
	}
	var names []string
	for _, p := range readManifest(assets).usable(assets, runtime.GOARCH).Helpers {
		names = append(names, p.Name)
	}
	return names
}

// finder makes a Set out of what a build carries and a machine has.
type finder struct {
	assets fs.FS
	arch   string
	noexec func(dir string) bool
	search func(name string) string
}

// find unpacks what there is and looks for the rest.
func (f finder) find(stateDir string) (Set, error) {
	m := engineHelpers(f.assets, f.arch)
	var bin string
	if len(m.Helpers) > 0 {
		s := store{dir: filepath.Join(stateDir, dataDir, m.key()), assets: f.assets, manifest: m}
		if err := s.ensure(); err != nil {
			return Set{}, err
		}
		if bin = s.bin(); f.noexec(bin) {
			return Set{}, noexecFault(bin)
		}
	}
	var found [3]Helper
	for i, k := range kinds() {
		found[i] = f.one(k.name, bin, m)
	}
	return Set{Shim: found[0], Agent: found[1], Runc: found[2]}, nil
}

// pluginName is the program that runs plugins. Why none from PATH, and why not
// among the kinds: wr does without it, only slower.
const pluginName = "wr-plugin"

// plugin unpacks the program that runs plugins. All of them are for Linux.
func (f finder) plugin(dir, system string) (Helper, error) {
	missing := Helper{Name: pluginName, Source: Missing}
	m := readManifest(f.assets).usable(f.assets, f.arch).only(pluginName)
	if system != "linux" || len(m.Helpers) == 0 {
		return missing, nil
	}
	s := store{dir: filepath.Join(dir, dataDir, m.key()), assets: f.assets, manifest: m}
	if err := s.ensure(); err != nil {
		return missing, err
	}
	if f.noexec(s.bin()) {
		return missing, noexecFault(s.bin())
	}
	return f.one(pluginName, s.bin(), m), nil
}

// one finds a single helper.
func (f finder) one(name, bin string, m manifest) Helper {
	for _, p := range m.Helpers {
		if p.Name == name {
			return Helper{Name: name, Path: filepath.Join(bin, name), Source: Embedded}
		}
	}
	if path := f.search(name); path != "" {
		return Helper{Name: name, Path: path, Source: Path}
	}
	return Helper{Name: name, Source: Missing}
}

// search looks on PATH and where Debian keeps programs for root, which are
// often not on a user's PATH.
func search(name string) string {
	path, err := exec.LookPath(name)
	if err == nil {
		if path, err = filepath.Abs(path); err == nil {
			return path
		}
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// noexecFault says that programs below dir cannot be executed.
func noexecFault(dir string) error {
	return &fault.Error{
		Code:    "helper.noexec",
		Message: "programs in " + dir + " cannot be executed: the file system is mounted noexec",
		Next:    "mount it without noexec, or set WR_ENGINE_DIR to a directory on another file system",
	}
}

// damaged says that this build of wr is broken.
func damaged(name string, err error) error {
	return &fault.Error{
		Code:    "helper.damaged",
		Class:   fault.Bug,
		Message: "the helper " + name + " inside this wr is damaged",
		Next:    "install wr again, or build it with make clean build",
		Err:     err,
	}
}

// unpackFailed says that the state directory cannot take the helpers.
func unpackFailed(dir string, err error) error {
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if f := fault.Disk(err, dir); f != nil {
		return f
	}
	return &fault.Error{
		Code:    "helper.unpack_failed",
		Message: "cannot unpack wr's helpers into " + dir + ": " + err.Error(),
		Next:    "make room and rights there, or set WR_ENGINE_DIR to another directory",
		Err:     err,
	}
}
