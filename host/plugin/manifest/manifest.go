// Package manifest reads what a plugin says of itself: from the custom section of
// its module, as JSON, or from a file beside it, as TOML, with the same keys. It
// believes nothing: unknown keys, unknown capabilities and what is said twice are
// refused, so that who reads a manifest before granting something has seen all.
package manifest

import (
	"encoding/json"
	"slices"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// MaxSize is the length of the longest manifest in bytes.
const MaxSize = 1 << 20

// Sidecar is what the name of a module is followed by in that of a file with its
// manifest.
const Sidecar = ".toml"

// area begins the codes of all faults in manifests.
const area = "manifest"

// Manifest is a manifest that was read, and is valid.
type Manifest struct {
	abi.Manifest
	Schema *Schema // of its config table; never nil
}

// Requests are the capabilities that it asks for.
func (m *Manifest) Requests() capability.Set { return capability.Requested(m.Capabilities) }

// Reason is why it asks for a capability, or for one that covers it. Asked is
// false for one that it does not ask for.
func (m *Manifest) Reason(c abi.Capability) (reason string, asked bool) {
	if i := slices.IndexFunc(m.Capabilities, func(r abi.Request) bool { return r.Capability == c }); i >= 0 {
		return m.Capabilities[i].Reason, true
	}
	wide, covered := m.Requests().Covering(c)
	if !covered {
		return "", false
	}
	return m.Reason(wide)
}

// Words are names that wr has already, which tasks and their flags cannot have.
type Words struct {
	Commands []string
	Flags    []string // without dashes
}

// Parse reads the JSON of a module's section; faults call it name.
func Parse(data []byte, name string, taken Words) (*Manifest, error) {
	if err := bounded(data, name); err != nil {
		return nil, err
	}
	tree, err := readTree(data)
	if err != nil {
		return nil, &fault.Error{
			Code: "manifest.syntax", Class: fault.Usage, File: name, Message: "the manifest cannot be read: " + err.Error(), Err: err,
			Next: "have its author build the plugin again",
		}
	}
	return from(config.NewTables(area, name, tree), tree, taken)
}

// ParseSidecar reads the TOML beside a module; faults call it name.
func ParseSidecar(data []byte, name string, taken Words) (*Manifest, error) {
	if err := bounded(data, name); err != nil {
		return nil, err
	}
	tables, err := config.ParseTables(area, name, data)
	if err != nil {
		return nil, err
	}
	return from(tables, tables.Tree(), taken)
}

func bounded(data []byte, name string) error {
	if len(data) <= MaxSize {
		return nil
	}
	return &fault.Error{Code: "manifest.too_long", Class: fault.Usage, File: name, Message: "the manifest has more than 1 MiB"}
}

// from reads and judges a manifest.
func from(tables *config.Tables, tree map[string]any, taken Words) (*Manifest, error) {
	var m Manifest
	form, hasForm := tree["config"]
	delete(tree, "config")
	tables.Fill(&m.Manifest)
	j := judge{tables, &m.Manifest, taken}
	if j.version() {
		j.all()
		m.Schema = j.schema(form, hasForm)
	}
	if err := tables.Result(); err != nil {
		return nil, err
	}
	return &m, nil
}

// schema compiles the schema of the config table.
func (j judge) schema(form any, given bool) *Schema {
	if !given {
		return &Schema{}
	}
	data, err := json.Marshal(form)
	if err == nil {
		j.m.Config = data
		var schema *Schema
		if schema, err = NewSchema(data); err == nil {
			return schema
		}
	}
	j.Refuse("config", "", "%v", err)
	return nil
}
