// Command todo is the plugin with the task `wr todo`, which lists what was left to be
// done. It is small, and a model for plugins with tasks.
package main

import (
	"github.com/wr-build/wr/plugins/todo/notes"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	wr.Main(wr.Plugin{Name: "todo", Version: "0.1.0", Tasks: map[string]wr.Task{"todo": todo}})
}

func todo(_ *wr.Call, p abi.TaskParams) (abi.TaskResult, error) {
	flags := wr.FlagsOf(p)
	found, err := notes.Find(wr.Source(), p.Project, flags.List("word"))
	if err != nil {
		return abi.TaskResult{}, err
	}
	if flags.Bool("write") {
		if err := wr.WriteFile(notes.Page(p.Project), []byte(found.Markdown())); err != nil {
			return abi.TaskResult{}, err
		}
	}
	r := abi.TaskResult{Output: found.Lines()}
	if flags.String("format") == "markdown" {
		r.Output = found.Markdown()
	}
	if most, limited := flags.Int("max"); limited && int64(len(found)) > most {
		r.Exit, r.Diagnostics = 1, found.Diagnostics()
	}
	return r, nil
}
