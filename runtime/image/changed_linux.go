package image

import (
	"io/fs"
	"syscall"
)

// changed are numbers of which one differs when a file was changed or replaced.
func changed(info fs.FileInfo) [2]uint64 {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return [2]uint64{}
	}
	return [2]uint64{uint64(s.Ctim.Nano()), s.Ino}
}
