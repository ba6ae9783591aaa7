// Command extism is a plugin for Extism that does what the plugin of the bench
// does for wr: it echoes, and reads all files.
package main

import (
	"io/fs"
	"os"
	"strconv"

	"github.com/extism/go-pdk"
)

func main() {}

//go:wasmexport echo
func echo() int32 {
	pdk.Output(pdk.Input())
	return 0
}

//go:wasmexport walk
func walk() int32 {
	n, err := size(os.DirFS("/src"))
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	pdk.OutputString(strconv.FormatInt(n, 10))
	return 0
}

// size is that of all files together, which are read for it.
func size(tree fs.FS) (n int64, err error) {
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		n += int64(len(text))
		return err
	})
	return n, err
}
