package config

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Plugin is one table [plugins.NAME].
type Plugin struct {
	Enabled  bool           `toml:"enabled" doc:"Whether the plugin is used. Default: true."`
	Priority int64          `toml:"priority" doc:"Of plugins that do the same, those with a higher one go first. Default: 0."`
	Config   map[string]any `toml:"config" doc:"What the plugin itself wants to know; its schema says what that can be. Of a project, keys go before those of the root's wr.toml."`
}

// PluginPolicy is the table [policy.plugins] of a wr.toml, and [plugins] of a
// machine's policy.
type PluginPolicy struct {
	Capabilities []string     `toml:"capabilities" doc:"What plugins may be granted at most: fs.read for all files, fs.read:src/** for some, exec:ruff, \"http:GET https://*.acme.com\". Default: all; an empty list: nothing."`
	Sources      []string     `toml:"sources" doc:"Where plugins may come from: file for the workspace itself, builtin for wr itself, and https:// with a host, a path and a slash at the end. Default: anywhere."`
	Limits       PluginLimits `toml:"limits" doc:"The highest limits that wr.lock may set for a plugin."`
}

// The kinds of sources of plugins that policies know besides addresses.
const (
	SourceFile    = "file"    // of the workspace
	SourceBuiltin = "builtin" // wr carries it
)

// BuiltinSource is the source of a plugin that wr carries.
func BuiltinSource(name string) string { return SourceBuiltin + ":" + name }

// SourceKind is what policies call the source of a plugin: an address by itself,
// and others by their kind.
func SourceKind(source string) string {
	switch {
	case strings.HasPrefix(source, BuiltinSource("")):
		return SourceBuiltin
	case !strings.Contains(source, "://"):
		return SourceFile
	}
	return source
}

// PluginLimits bound a plugin. Zero values leave the default, which is that of wr.
type PluginLimits struct {
	Memory  Size     `toml:"memory" doc:"Memory of the plugin, such as 512MiB."`
	Call    Duration `toml:"call" doc:"How long it may take for one request, such as 2m."`
	Output  Size     `toml:"output" doc:"Bytes that it may write."`
	Log     Size     `toml:"log" doc:"Bytes of its log that are passed on."`
	Files   int64    `toml:"files" doc:"Files that are open at once."`
	Pending int64    `toml:"pending" doc:"Questions to wr at once."`

	Instances     int64    `toml:"instances" doc:"Instances of it that run at once."`
	CompileMemory Size     `toml:"compile_memory" doc:"Memory of the compiler, such as 4GiB."`
	CompileTime   Duration `toml:"compile_time" doc:"How long compiling it may take, such as 5m."`

	ModuleSize   Size  `toml:"module_size" doc:"Size of the module itself."`
	FunctionSize Size  `toml:"function_size" doc:"Size of a function in the module."`
	Functions    int64 `toml:"functions" doc:"Functions that the module defines."`
	Locals       int64 `toml:"locals" doc:"Locals of a function in the module."`
	Tables       int64 `toml:"tables" doc:"Tables of the module."`
	TableSize    int64 `toml:"table_size" doc:"Elements that its tables start with."`
	Segments     int64 `toml:"segments" doc:"Segments of data in the module."`
	Entries      int64 `toml:"entries" doc:"Types, globals, imports and exports of the module, each."`
}

// pluginLimit is one of the limits.
type pluginLimit struct {
	key         string
	value       int64
	least, most int64
	counts      bool // and is a number, not a text
	form        func(int64) string
	parse       func(string) error
}

// list are the limits, each with what makes sense.
func (l *PluginLimits) list() []pluginLimit {
	size := func(key string, s *Size, least, most int64) pluginLimit {
		return pluginLimit{key, int64(*s), least, most, false, func(n int64) string { return Size(n).String() }, func(text string) error { return s.UnmarshalText([]byte(text)) }}
	}
	count := func(key string, n *int64, most int64) pluginLimit {
		return pluginLimit{key, *n, 1, most, true, func(n int64) string { return strconv.FormatInt(n, 10) }, func(text string) (err error) {
			*n, err = strconv.ParseInt(text, 10, 64)
			return err
		}}
	}
	span := func(key string, d *Duration, least time.Duration) pluginLimit {
		return pluginLimit{
			key, int64(*d), int64(least), int64(24 * time.Hour), false,
			func(n int64) string { return time.Duration(n).String() }, func(text string) error { return d.UnmarshalText([]byte(text)) },
		}
	}
	return []pluginLimit{
		size("memory", &l.Memory, 1<<20, 4<<30), span("call", &l.Call, 10*time.Millisecond), size("output", &l.Output, 1<<10, 4<<30),
		size("log", &l.Log, 1<<10, 1<<30), count("instances", &l.Instances, 1<<10),
		size("compile_memory", &l.CompileMemory, 256<<20, 64<<30), span("compile_time", &l.CompileTime, time.Second),
		count("files", &l.Files, 1<<16), count("pending", &l.Pending, 1<<10),
		size("module_size", &l.ModuleSize, 1<<10, 1<<30), size("function_size", &l.FunctionSize, 1<<10, 64<<20),
		count("functions", &l.Functions, 10_000_000), count("locals", &l.Locals, 10_000_000), count("tables", &l.Tables, 10_000),
		count("table_size", &l.TableSize, 100_000_000), count("segments", &l.Segments, 10_000_000), count("entries", &l.Entries, 10_000_000),
	}
}

// Set reads the written form of one limit; an empty one is the default.
func (l *PluginLimits) Set(key, text string) error {
	var keys []string
	for _, limit := range l.list() {
		if limit.key == key {
			return limit.parse(cmp.Or(text, "0"))
		}
		keys = append(keys, limit.key)
	}
	return &fault.Error{
		Code: "limit.unknown", Class: fault.Usage, Message: fmt.Sprintf("plugins have no limit %q", key),
		Hint: fault.Closest(key, keys), Next: "set one of " + strings.Join(keys, ", "),
	}
}

// Written are the limits that are set, in their written form: text or, of those
// that count something, a whole number.
func (l PluginLimits) Written() map[string]any {
	all := map[string]any{}
	for _, limit := range l.list() {
		switch {
		case limit.value == 0:
		case limit.counts:
			all[limit.key] = limit.value
		default:
			all[limit.key] = limit.form(limit.value)
		}
	}
	return all
}

// Check names the limits that make no sense, by their keys.
func (l PluginLimits) Check() []LimitError {
	var wrong []LimitError
	for _, limit := range l.list() {
		if limit.value != 0 && (limit.value < limit.least || limit.value > limit.most) {
			wrong = append(wrong, LimitError{limit.key, fmt.Sprintf("%s is not between %s and %s", limit.form(limit.value), limit.form(limit.least), limit.form(limit.most))})
		}
	}
	return wrong
}

// Above names the limits of l that are higher than those of most.
func (l PluginLimits) Above(most PluginLimits) []LimitError {
	var wrong []LimitError
	for i, bound := range most.list() {
		if limit := l.list()[i]; bound.value != 0 && limit.value > bound.value {
			wrong = append(wrong, LimitError{limit.key, fmt.Sprintf("%s is more than %s", limit.form(limit.value), limit.form(bound.value))})
		}
	}
	return wrong
}

// PluginOf is what the root's wr.toml and a project's own say of a plugin
// together; they are the same File for the root itself.
func PluginOf(root, project *File, name string) Plugin {
	p := Plugin{Enabled: true, Config: map[string]any{}}
	for _, f := range []*File{root, project} {
		at, own := join("plugins", name), f.Plugins[name]
		if f.Line(join(at, "enabled")) > 0 {
			p.Enabled = own.Enabled
		}
		if f.Line(join(at, "priority")) > 0 {
			p.Priority = own.Priority
		}
		maps.Copy(p.Config, own.Config)
	}
	return p
}

// MachinePolicy is where whoever owns a machine bounds plugins of all its users.
const MachinePolicy = "/etc/wr/policy.toml"

// Bound is a policy for plugins and where it stands.
type Bound struct {
	PluginPolicy
	File  string
	table string
	lines map[string]int
}

// Line is the line of what the keys lead to in the policy, 0 where it has none.
func (b Bound) Line(keys ...string) int {
	at := b.table
	for _, key := range keys {
		at = join(at, key)
	}
	return b.lines[at]
}

// Given reports whether the policy says something of a key: an empty list does.
func (b Bound) Given(key string) bool { return b.Line(key) > 0 }

// PluginBound is the policy for plugins in f, which faults call name.
func (f *File) PluginBound(name string) Bound {
	return Bound{f.Policy.Plugins, name, "policy.plugins", f.lines}
}

// LoadPolicy reads a policy for plugins that lies outside of any workspace. One
// that is not there says nothing. With owned, nobody but root may have written it.
func LoadPolicy(path string, owned bool) (Bound, error) {
	var file struct {
		Plugins PluginPolicy `toml:"plugins"`
	}
	data, err := read(path)
	if os.IsNotExist(err) {
		return Bound{File: path}, nil
	}
	if err != nil {
		return Bound{}, unreadable(path, err)
	}
	if owned {
		if err := checkOwned(path); err != nil {
			return Bound{}, err
		}
	}
	tree, err := parseTree(path, data)
	if err != nil {
		return Bound{}, err
	}
	d := &decoder{name: path, root: reflect.TypeOf(file), lines: lines(data), bad: map[string]bool{}}
	d.table("", tree, reflect.ValueOf(&file).Elem())
	d.checkPluginPolicy("plugins", file.Plugins)
	return Bound{file.Plugins, path, "plugins", d.lines}, d.result()
}

// checkOwned refuses a file that others than root can change: it would look as if
// somebody stood for it.
func checkOwned(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return unreadable(path, err)
	}
	if info.Sys().(*syscall.Stat_t).Uid == 0 && info.Mode().Perm()&0o022 == 0 {
		return nil
	}
	return Errors{{Fault: &fault.Error{
		Code: "policy.not_owned", File: path, Message: "others than root can change it",
		Next: "sudo chown root: " + path + " && sudo chmod 644 " + path,
	}}}
}

// checkPlugins checks the tables of plugins; what is in their own tables is theirs.
func (d *decoder) checkPlugins(plugins map[string]Plugin) {
	for _, name := range slices.Sorted(maps.Keys(plugins)) {
		if !pluginShape().MatchString(name) {
			d.refuse(join("plugins", name), "%q is not the name of a plugin: lower-case letters, digits and -", name)
		}
	}
}

// checkPluginPolicy checks what bounds plugins.
func (d *decoder) checkPluginPolicy(at string, p PluginPolicy) {
	for i, text := range p.Capabilities {
		at := element(join(at, "capabilities"), i)
		c := abi.ParseCapability(text)
		if err := capability.CheckBound(c); err != nil && d.given(at) {
			hint := ""
			if !capability.Known(c.Name) {
				hint = fault.Closest(c.Name, capability.Names())
			}
			d.mistake(at, fault.Error{Code: "config.bad_value", Message: d.label(at) + ": " + err.Error(), Hint: hint})
		}
	}
	for i, source := range p.Sources {
		at := element(join(at, "sources"), i)
		if d.given(at) && source != SourceFile && source != SourceBuiltin && !sourceShape().MatchString(source) {
			d.refuse(at, "%q is neither file nor builtin nor such as https://plugins.example.com/", source)
		}
	}
	d.checkPluginLimits(join(at, "limits"), p.Limits)
}

func (d *decoder) checkPluginLimits(at string, l PluginLimits) {
	for _, limit := range l.list() {
		if key := join(at, limit.key); limit.value == 0 && d.given(key) {
			d.refuse(key, "is nothing; leave %s out for the default", limit.key)
		}
	}
	for _, wrong := range l.Check() {
		d.refuse(join(at, wrong.Key), "%s", wrong.Problem)
	}
}
