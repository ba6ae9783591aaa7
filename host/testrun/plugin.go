package testrun

import (
	_ "embed"

	"github.com/wr-build/wr/runtime/spec"
)

// pluginName is the module that pytest loads.
const pluginName = "wr_pytest"

// plugin is its source. It is plain Python, so any interpreter in any image
// can load it from a read-only mount.
//
//go:embed plugin/wr_pytest.py
var plugin []byte

// Where the plugin and its facts are in a container.
const (
	pluginTarget = spec.Internal + "/pytest"
	factsTarget  = spec.Internal + "/run"
	cacheTarget  = spec.Internal + "/cache"
	configFile   = "config.json"
	factsFile    = "events.ndjson"
)

// pluginConfig is what the plugin reads from the file that WR_PYTEST names.
type pluginConfig struct {
	Version int      `json:"version"`
	Events  string   `json:"events"` // container path of the file of facts
	Ignore  []string `json:"ignore"` // container paths not to be collected
	Paths   []string `json:"paths"`  // to be collected when the command line names none, relative to where pytest starts
}

// factsVersion is the version of the configuration and of the facts.
const factsVersion = 1
