// Command py-deps is the plugin that compares what Python projects import with what
// they declare.
package main

import (
	"encoding/json"

	"github.com/wr-build/wr/plugins/py-deps/deps"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	var config deps.Config
	wr.Main(wr.Plugin{
		Name: "py-deps", Version: "0.1.0",
		Initialize: func(_ *wr.Call, p abi.Initialize) error { return read(p.Config, &config) },
		Lint: func(_ *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
			config := config
			if err := read(p.Config, &config); err != nil {
				return nil, err
			}
			return deps.Check(wr.Source(), p.Project, p.Files, config)
		},
	})
}

// read reads a config table in place of the one that holds besides.
func read(table json.RawMessage, config *deps.Config) error {
	if len(table) > 0 {
		*config = deps.Config{}
	}
	if err := wr.Config(table, config); err != nil {
		return err
	}
	if err := config.Valid(); err != nil {
		return wr.Invalid("%v", err)
	}
	return nil
}
