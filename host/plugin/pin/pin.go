// Package pin is what wr.lock says of plugins: which bytes each one is, what it
// asked for when somebody last looked, and what it was granted and why. The table
// is made by wr and reviewed like code; what somebody writes into it that the
// plugin does not ask for, or that no bytes belong to, is an error with its line.
package pin

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/lock"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// table is that of wr.lock.
const table = "plugins"

// Pin is one plugin in wr.lock.
type Pin struct {
	Name     string
	Source   string // path below the workspace's root, with slashes, or a URL
	Version  string
	Digest   string // sha256 of the module
	Size     int64  // bytes of the module
	Manifest string // sha256 of its manifest, wherever that lies
	Requests string // digest of the set of capabilities that it asks for
	Grants   []abi.Request
	Limits   config.PluginLimits

	line func(keys ...string) int // in wr.lock; nil = it is not from there
}

// Pins are all plugins of a workspace, by name.
type Pins map[string]Pin

// entry is a pin as the file has it. The keys of Grants are capabilities, their
// values reasons.
type entry struct {
	Source   string              `toml:"source"`
	Version  string              `toml:"version"`
	Digest   string              `toml:"digest"`
	Size     int64               `toml:"size"`
	Manifest string              `toml:"manifest"`
	Requests string              `toml:"requests"`
	Grants   map[string]string   `toml:"grants"`
	Limits   config.PluginLimits `toml:"limits"`
}

var digestShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^sha256:[0-9a-f]{64}$`) })

// Read reads the plugins of a wr.lock. An error has all mistakes in them.
func Read(file lock.File) (Pins, error) {
	if len(file.Text()) == 0 {
		return Pins{}, nil
	}
	tables, err := config.ParseTables("lock", lock.Name, file.Text())
	if err != nil {
		return nil, err
	}
	var entries map[string]entry
	tables.FillTable(table, &entries)
	pins := Pins{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		pins[name] = read(tables, name, entries[name])
	}
	return pins, tables.Result()
}

// read judges one entry by itself.
func read(tables *config.Tables, name string, e entry) Pin {
	at := config.Key(table, name)
	p := Pin{
		Name: name, Source: e.Source, Version: e.Version, Digest: e.Digest, Size: e.Size, Manifest: e.Manifest, Requests: e.Requests, Limits: e.Limits,
		line: func(keys ...string) int {
			return tables.Line(config.Key(append([]string{table, name}, keys...)...))
		},
	}
	for key, digest := range map[string]string{"digest": e.Digest, "manifest": e.Manifest, "requests": e.Requests} {
		if key := config.Below(at, key); tables.Sound(key) && tables.Sound(at) && !digestShape().MatchString(digest) {
			tables.Refuse(key, "", "%q is not sha256: and 64 digits", digest)
		}
	}
	for key, text := range map[string]string{"source": e.Source, "version": e.Version} {
		if strings.ContainsFunc(text, unseen) {
			tables.Refuse(config.Below(at, key), "", "%q has characters that do not show", text)
		}
	}
	if source := config.Below(at, "source"); e.Source == "" && tables.Sound(source) && tables.Sound(at) {
		tables.Refuse(source, "", "is missing or empty")
	}
	if source := config.Below(at, "source"); e.Source != "" && !strings.Contains(e.Source, "://") && !filepath.IsLocal(e.Source) {
		tables.Refuse(source, "", "%q is not a path below the workspace's root", e.Source)
	}
	for _, wrong := range e.Limits.Check() {
		tables.Refuse(config.Below(config.Below(at, "limits"), wrong.Key), "", "%s", wrong.Problem)
	}
	for _, text := range slices.Sorted(maps.Keys(e.Grants)) {
		c := abi.ParseCapability(text)
		err := capability.Check(c)
		if err == nil && strings.ContainsFunc(e.Grants[text], unseen) {
			err = fmt.Errorf("%q has characters that do not show", e.Grants[text])
		}
		if err != nil {
			tables.Refuse(config.Key(table, name, "grants", text), "", "%v", err)
		}
		p.Grants = append(p.Grants, abi.Request{Capability: c, Reason: e.Grants[text]})
	}
	return p
}

// unseen are characters that would change what else is shown.
func unseen(r rune) bool { return !unicode.IsPrint(r) }

// Write replaces the plugins of a wr.lock.
func (all Pins) Write(file *lock.File) {
	entries := map[string]map[string]any{}
	for name, p := range all {
		e := map[string]any{
			"source": p.Source, "version": p.Version, "digest": p.Digest, "size": p.Size, "manifest": p.Manifest, "requests": p.Requests,
		}
		if len(p.Grants) > 0 {
			grants := map[string]string{}
			for _, g := range p.Grants {
				grants[g.String()] = g.Reason
			}
			e["grants"] = grants
		}
		if limits := p.Limits.Written(); len(limits) > 0 {
			e["limits"] = limits
		}
		entries[name] = e
	}
	file.SetTables(table, entries)
}

// Of makes the pin of a plugin that is granted some of what it asks for. What it
// does not ask for is an error.
func Of(m *manifest.Manifest, from Pin, granted capability.Set) (Pin, error) {
	from.Name, from.Version, from.Requests = m.Name, m.Version, m.Requests().Digest()
	from.Grants = nil
	for _, c := range granted {
		reason, asked := m.Reason(c)
		if !asked {
			return Pin{}, Unasked(m, c)
		}
		from.Grants = append(from.Grants, abi.Request{Capability: c, Reason: reason})
	}
	return from, nil
}

// Unasked is the fault of granting what a plugin does not ask for.
func Unasked(m *manifest.Manifest, c abi.Capability) *fault.Error {
	return &fault.Error{
		Code: "grant.unasked", Class: fault.Usage, Message: fmt.Sprintf("%s does not ask for %s", m.Name, c),
		Hint: fault.Closest(c.String(), m.Requests().Strings()),
		Next: cmp.Or(strings.Join(prefixed("it asks for ", m.Requests().Strings()), ", "), "it asks for nothing"),
	}
}

func prefixed(prefix string, words []string) []string {
	if len(words) > 0 {
		words[0] = prefix + words[0]
	}
	return words
}

// Granted are the capabilities that wr.lock grants.
func (p Pin) Granted() capability.Set { return capability.Requested(p.Grants) }

// Check holds a pin against the manifest that it pins: the plugin asks for just
// what it asked for when it was granted something, and for all that is granted.
func (p Pin) Check(m *manifest.Manifest) error {
	if m.Name != p.Name {
		return p.fault("lock.name", "the plugin calls itself "+m.Name, "wr plugin rm "+p.Name+", and add it again")
	}
	if m.Version != p.Version {
		return p.fault("lock.version_differs", "the plugin is version "+m.Version, "wr plugin update "+p.Name, "version")
	}
	if now := m.Requests().Digest(); now != p.Requests {
		return p.fault("lock.requests", "the plugin asks for something else: "+now, "wr plugin update "+p.Name, "requests")
	}
	for _, g := range p.Grants {
		reason, asked := m.Reason(g.Capability)
		if !asked {
			f := Unasked(m, g.Capability)
			return p.fault("lock.widened", f.Message+", and wr.lock grants it", "wr plugin revoke "+p.Name+" "+g.String(), "grants", g.String())
		}
		if reason != g.Reason {
			return p.fault("lock.reason", fmt.Sprintf("%s gives another reason: %s", m.Name, reason), "put that there", "grants", g.String())
		}
	}
	return nil
}

// fault is one of what wr.lock says under keys.
func (p Pin) fault(code, message, next string, keys ...string) *fault.Error {
	return &fault.Error{Code: code, Class: fault.Usage, File: lock.Name, Line: p.Line(keys...), Message: "[plugins." + p.Name + "] " + strings.Join(append(keys, ""), ": ") + message, Next: next}
}

// Line is the line of what the keys lead to below the pin, 0 if it is not known.
func (p Pin) Line(keys ...string) int {
	if p.line == nil {
		return 0
	}
	return p.line(keys...)
}

// Find returns the plugin with that name.
func (all Pins) Find(name string) (Pin, error) {
	if p, ok := all[name]; ok {
		return p, nil
	}
	names := slices.Sorted(maps.Keys(all))
	f := &fault.Error{
		Code: "plugin.unknown", Class: fault.Usage, Message: fmt.Sprintf("there is no plugin %q in %s", name, lock.Name),
		Hint: fault.Closest(name, names), Next: "wr plugin add FILE",
	}
	if len(names) > 0 {
		f.Next = "name one of " + strings.Join(names, ", ")
	}
	return Pin{}, f
}
