// Command testlist is the plugin that finds the tests that lists and notebooks name.
package main

import (
	"encoding/json"

	"github.com/wr-build/wr/plugins/testlist/list"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	var config list.Config
	wr.Main(wr.Plugin{
		Name: "testlist", Version: "0.1.0",
		Initialize: func(_ *wr.Call, p abi.Initialize) error { return read(p.Config, &config) },
		Discover: func(_ *wr.Call, p abi.DiscoverParams) ([]abi.TestFile, error) {
			config := config
			if err := read(p.Config, &config); err != nil {
				return nil, err
			}
			found, err := list.Discover(wr.Source(), p, config)
			if err != nil {
				return nil, wr.Invalid("%v", err)
			}
			return found, nil
		},
	})
}

// read reads a config table in place of the one that holds besides.
func read(table json.RawMessage, config *list.Config) error {
	if len(table) > 0 {
		*config = list.Config{}
	}
	if err := wr.Config(table, config); err != nil {
		return err
	}
	if err := config.Valid(); err != nil {
		return wr.Invalid("%v", err)
	}
	return nil
}
