// Command dockerfile is the plugin that checks Dockerfiles as BuildKit does.
package main

import (
	"encoding/json"
	"io/fs"

	"github.com/wr-build/wr/plugins/dockerfile/check"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	var config check.Config
	wr.Main(wr.Plugin{
		Name: "dockerfile", Version: "0.1.0",
		Initialize: func(_ *wr.Call, p abi.Initialize) error { return read(p.Config, &config) },
		Lint: func(_ *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
			config := config
			if err := read(p.Config, &config); err != nil {
				return nil, err
			}
			return lint(p.Files, config)
		},
	})
}

func lint(files []string, config check.Config) ([]abi.Diagnostic, error) {
	var said []abi.Diagnostic
	for _, name := range files {
		src, err := fs.ReadFile(wr.Source(), name)
		if err != nil {
			return nil, err
		}
		said = append(said, check.File(name, src, config)...)
	}
	return said, nil
}

// read reads a config table in place of the one that holds besides.
func read(table json.RawMessage, config *check.Config) error {
	if len(table) > 0 {
		*config = check.Config{}
	}
	if err := wr.Config(table, config); err != nil {
		return err
	}
	if err := config.Valid(); err != nil {
		return wr.Invalid("%v", err)
	}
	return nil
}
