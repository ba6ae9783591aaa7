package fault

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
)

// DiskFull is the code of the fault of whatever could not be written because a
// file system has no space left, or because the user's quota is used up.
const DiskFull = "disk.full"

// Disk returns the fault of an error that says so, and nil for any other error.
// path is what was being written, or a directory above it; "" = err names it.
func Disk(err error, path string) *Error {
	short := shortage(err)
	if short == "" {
		return nil
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok && path == "" && filepath.IsAbs(at.Path) {
		path = at.Path
	}
	f := &Error{Code: DiskFull, Message: short + ": " + err.Error(), Next: "free some space there", Err: err}
	if path != "" {
		mount := mountPoint(path)
		f.Message = short + " on the file system at " + mount + ": " + err.Error()
		f.Next = "free space on the file system at " + mount
	}
	return f
}

// shortage is what err says there is too little of, in words; "" = nothing.
// Why by its text as well: what comes from another process, as over gRPC or out
// of a log, is no errno any more.
func shortage(err error) string {
	if err == nil {
		return ""
	}
	text := strings.ToLower(err.Error())
	switch {
	case errors.Is(err, syscall.ENOSPC), strings.Contains(text, "no space left on device"):
		return "the disk is full"
	case errors.Is(err, syscall.EDQUOT), strings.Contains(text, "disk quota exceeded"):
		return "the disk quota is used up"
	default:
		return ""
	}
}

// mountPoint is the highest directory above path on the same file system.
func mountPoint(path string) string {
	device, known := deviceOf(path)
	for at := path; at != filepath.Dir(at); at = filepath.Dir(at) {
		above, ok := deviceOf(filepath.Dir(at))
		if known && (!ok || above != device) {
			return at
		}
		device, known = above, ok // what cannot be looked at is passed by
	}
	return string(filepath.Separator)
}

func deviceOf(path string) (uint64, bool) {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return 0, false
	}
	return uint64(stat.Dev), true //nolint:unconvert // an int32 on other systems
}
