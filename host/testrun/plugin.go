package testrun

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec"
)

// The modules that pytest loads, the second one for those who debug.
const (
	pluginName  = "wr_pytest"
	debugPlugin = "wr_debug"
)

// furtherModule is what the plugin loads where it is to collect further files.
const furtherModule = "wr_further"

// plugin is its source. It is plain Python, so any interpreter in any image
// can load it from a read-only mount.
//
//go:embed plugin/wr_pytest.py
var plugin []byte

//go:embed plugin/wr_further.py
var further []byte

//go:embed plugin/wr_debug.py
var debugging []byte

// Where the plugin and its facts are in a container.
const (
	pluginTarget = spec.Internal + "/pytest"
	factsTarget  = spec.Internal + "/run"
	cacheTarget  = spec.Internal + "/cache"
	configFile   = "config.json"
)

// pluginConfig is what the plugin reads from the file that WR_PYTEST names.
type pluginConfig struct {
	Version int      `json:"version"`
	Events  string   `json:"events"` // container path of the file of facts
	Ignore  []string `json:"ignore"` // container paths not to be collected; relative ones begin at the workspace, wherever it lies
	Paths   []string `json:"paths"`  // to be collected when the command line names none, relative to where pytest starts
	Places  places   `json:"places"`
	Only    []string `json:"only,omitempty"`    // node ids, as pytest has them, of the cases that the process is for; none = all
	Stacks  string   `json:"stacks,omitempty"`  // container path of the files for stacks of late cases, short of what tells workers apart
	Order   []string `json:"order,omitempty"`   // node ids, relative to Dir, of the cases to run, in order; none = all as collected
	Dir     string   `json:"dir,omitempty"`     // container path
	Shuffle string   `json:"shuffle,omitempty"` // seed of the order; "" = as collected

	Suites   []plan.Suite    `json:"suites"`             // none: all cases run
	Assigned []plan.Assigned `json:"assigned,omitempty"` // what plugins say of cases; the first that says something of one counts
	Further  []string        `json:"further,omitempty"`  // container paths of files that pytest does not find by itself
	Debug    plan.Debug      `json:"debug,omitzero"`
}

// places is what the plugin has to know to tell which cases belong here.
type places struct {
	plan.Places

	Here string `json:"here"`           // whose container it is
	Open bool   `json:"open,omitempty"` // Names lacks those of other projects
}

// factsVersion is the version of the configuration and of the facts.
const factsVersion = 1

// entryPoints makes pytest find the plugin as one that is installed.
const entryPoints = "[pytest11]\n" + pluginName + " = " + pluginName + "\n"

// Inside are the files of the plugin, by their paths in a folder, for a container
// in which people run pytest themselves: it knows the mark, leaves alone the cases
// of other containers and the projects further down, and records nothing. here
// is whose container it is: the path of a project, or the name of an entry of
// [images]. suites are all that it has.
func Inside(here string, where plan.Places, nested []string, suites []plan.Suite) (map[string][]byte, error) {
	return installed(pluginConfig{Version: factsVersion, Ignore: nested, Places: places{Places: where, Here: here}, Suites: suites})
}

// installed are the files of a plugin that pytest finds by itself.
func installed(c pluginConfig) (map[string][]byte, error) {
	config, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode the configuration of the pytest plugin: %w", err)
	}
	info := pluginName + "-1.dist-info/"
	return map[string][]byte{
		pluginName + ".py": plugin, configFile: config,
		info + "METADATA": []byte("Metadata-Version: 2.1\nName: " + pluginName + "\nVersion: 1\n"), info + "entry_points.txt": []byte(entryPoints),
	}, nil
}

// imageTarget is where an image carries the plugin.
const imageTarget = spec.Internal + "/image/pytest"

// InImage is the layer by which an image carries the files of Inside, for where
// nothing is mounted. nested are workspace paths, since nobody knows where the
// workspace will be. Of names it has only those of here and where.Default: with
// the others, a new project would be a new image of all.
func InImage(here string, where plan.Places, nested []string, suites []plan.Suite) (*spec.Layer, error) {
	names := maps.Clone(where.Names)
	maps.DeleteFunc(names, func(_, path string) bool { return path != here && path != where.Default })
	where.Names = names
	files, err := installed(pluginConfig{Version: factsVersion, Ignore: nested, Places: places{Places: where, Here: here, Open: true}, Suites: suites})
	if err != nil {
		return nil, err
	}
	layer := &spec.Layer{
		Files: map[string]string{},
		Env:   map[string]string{"WR_PYTEST": path.Join(imageTarget, configFile), "WR_PROJECT": here, "WR_HERE": "true"},
		Lists: map[string]string{"PYTHONPATH": imageTarget},
	}
	for name, content := range files {
		layer.Files[path.Join(imageTarget, name)] = string(content)
	}
	return layer, nil
}

// InsideEnv is what processes need besides env to have the plugin whose files
// are in a folder of their container.
func InsideEnv(folder string, env []string) []string {
	pythonPath := folder
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "PYTHONPATH="); ok && value != "" {
			pythonPath = value + ":" + folder
		}
	}
	return []string{"PYTHONPATH=" + pythonPath, "WR_PYTEST=" + path.Join(folder, configFile)}
}

// PluginDigest is the sha256, in hexadecimal, of all that runs beside tests.
func PluginDigest() string {
	h := sha256.New()
	for _, text := range [][]byte{plugin, further, debugging} {
		_ = binary.Write(h, binary.LittleEndian, int64(len(text)))
		_, _ = h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
