package image

import (
	"encoding/binary"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// contextFS is the build context as it is sent to the engine: what git would
// record of it, so that one commit gives one image whoever checked it out. What wr
// itself keeps in the root of a workspace is left out.
func contextFS(root string) (fsutil.FS, error) {
	tree, err := fsutil.NewFS(root)
	if err != nil {
		return nil, &fault.Error{
			Code:    "image.no_context",
			Message: "cannot read the build context: " + err.Error(),
			File:    root,
			Next:    "check that the directory is there and can be read",
			Err:     err,
		}
	}
	return fsutil.NewFilterFS(tree, &fsutil.FilterOpt{Map: func(path string, st *types.Stat) fsutil.MapResult {
		if top, _, _ := strings.Cut(filepath.ToSlash(path), "/"); top == spec.State {
			return fsutil.MapResultSkipDir
		}
		canonical(filepath.Join(root, path), st)
		return fsutil.MapResultKeep
	}})
}

// canonical drops from a stat what depends on the machine.
//
// BuildKit tells by size and time whether it holds a file already, so an edit
// that keeps both (cp -p, a checkout with fixed times, two edits within a tick)
// would build the old content. The time's nanoseconds, which no tool reads
// back, are therefore made from the inode and the time of its last change.
func canonical(path string, st *types.Stat) {
	st.Mode = uint32(spec.ContextMode(fs.FileMode(st.Mode)))
	st.Xattrs = nil
	st.Uid, st.Gid = 0, 0
	if !fs.FileMode(st.Mode).IsRegular() {
		return
	}
	if info, err := os.Lstat(path); err == nil {
		seconds := time.Unix(0, st.ModTime).Unix()
		st.ModTime = time.Unix(seconds, fingerprint(info)).UnixNano()
	}
}

// fingerprint is a number of nanoseconds below a second that changes with
// every change of a file.
func fingerprint(info fs.FileInfo) int64 {
	h := fnv.New64a()
	for _, v := range changed(info) {
		_ = binary.Write(h, binary.LittleEndian, v)
	}
	return int64(h.Sum64() % uint64(time.Second))
}
