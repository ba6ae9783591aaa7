// Command guest is a plugin for the bench: it echoes, and reads all files. The
// plugin of .ci/peers/extism does the same for Extism.
package main

import (
	"io/fs"
	"strconv"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	wr.Main(wr.Plugin{Name: "guest", Version: "1.0.0", Tasks: map[string]wr.Task{"echo": echo, "walk": walk}})
}

func echo(_ *wr.Call, p abi.TaskParams) (abi.TaskResult, error) {
	return abi.TaskResult{Output: p.Args[0]}, nil
}

func walk(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	n, err := size(wr.Source())
	return abi.TaskResult{Output: strconv.FormatInt(n, 10)}, err
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
