package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/manifest"
)

var update = flag.Bool("update", false, "write the pages of docs/ that are made from the code")

// TestThePageOfCommandsIsTrue keeps docs/commands.md to what --help says.
func TestThePageOfCommandsIsTrue(t *testing.T) {
	var page bytes.Buffer
	page.WriteString("# Commands\n\nWhat `wr COMMAND --help` says. Made by `go test ./cmd/wr/cli -run Page -update`.\n")
	_, global := split(help(t, []string{"ls"}))
	fmt.Fprintf(&page, "\n## Every command\n\n```\n%s```\n", global)
	var g grammar
	parser, err := kong.New(&g, options()...)
	if err != nil {
		t.Fatal(err)
	}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, child := range n.Children {
			if child.Hidden || child.Type != kong.CommandNode {
				continue
			}
			if len(child.Children) == 0 {
				own, _ := split(help(t, strings.Fields(child.FullPath())[1:]))
				fmt.Fprintf(&page, "\n## %s\n\n```\n%s```\n", child.FullPath(), own)
			}
			visit(child)
		}
	}
	visit(parser.Model.Node)
	compare(t, "../../../docs/commands.md", page.Bytes())
}

// split takes the flags of every command, which come first, out of a help text.
func split(text string) (own, global string) {
	before, flags, _ := strings.Cut(text, "Flags:\n")
	global, flags, _ = strings.Cut(flags, "\n\n")
	if flags != "" {
		flags = "Flags:\n" + flags
	}
	return strings.TrimRight(before+flags, "\n") + "\n", "Flags:\n" + strings.TrimRight(global, "\n") + "\n"
}

// help is what a command says with --help.
func help(t *testing.T, command []string) string {
	t.Helper()
	var g grammar
	var out bytes.Buffer
	parser, err := kong.New(&g, append(options(), kong.Writers(&out, &out), kong.Exit(func(int) { panic("helped") }))...)
	if err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = parser.Parse(append(command, "--help"))
	}()
	var text strings.Builder
	for line := range strings.Lines(out.String()) {
		text.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return text.String()
}

// TestThePageOfConfigurationIsTrue keeps docs/configuration.md to the schema.
func TestThePageOfConfigurationIsTrue(t *testing.T) {
	var page bytes.Buffer
	page.WriteString("# wr.toml\n\nEvery key of a `wr.toml`; all are optional. `wr config schema` prints the same as a JSON schema,\nfor editors. Made by `go test ./cmd/wr/cli -run Page -update`.\n")
	writeKeys(t, &page, config.Schema)
	compare(t, "../../../docs/configuration.md", page.Bytes())
}

// readShown has the files that a page of docs shows read as what they are, wr.toml
// or a plugin's manifest, and returns the page.
func readShown(t *testing.T, name string, files int) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```toml\n")[1:]
	if len(blocks) != files {
		t.Errorf("it shows %d files, want %d", len(blocks), files)
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		read := func() error { _, err := config.Parse("wr.toml", []byte(text)); return err }
		if strings.Contains("\n"+text, "\nabi = ") {
			read = func() error { _, err := manifest.ParseSidecar([]byte(text), "toml", manifest.Words{}); return err }
		}
		if err := read(); err != nil {
			t.Errorf("%v in\n%s", err, text)
		}
	}
	return string(page)
}

// TestWhatTheGuideToRightsShowsIsRead has its examples read as wr.toml.
func TestWhatTheGuideToRightsShowsIsRead(t *testing.T) {
	page := readShown(t, "rights-and-lock.md", 2)
	for kind := range strings.FieldsSeq("privileged capabilities devices mounts ssh_agent credentials") {
		if !strings.Contains(page, "`"+kind) {
			t.Errorf("it does not say how to ask for %s", kind)
		}
	}
}

// TestWhatThePageOfLintersShowsIsRead has its examples read as wr.toml.
func TestWhatThePageOfLintersShowsIsRead(t *testing.T) {
	readShown(t, "lint.md", 2)
}

// TestWhatTheGuideToPluginsShowsIsRead has its examples read as what they are.
func TestWhatTheGuideToPluginsShowsIsRead(t *testing.T) {
	page := readShown(t, "plugins/managing.md", 2)
	readShown(t, "plugins/tools.md", 1)
	readShown(t, "plugins/tutorial.md", 1)
	readShown(t, "plugins/abi.md", 1)
	for _, name := range capability.Names() {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("it does not say what %s is", name)
		}
	}
}

// TestThePageOfPersonalSettingsIsTrue keeps docs/personal.md to the schema.
func TestThePageOfPersonalSettingsIsTrue(t *testing.T) {
	page := bytes.NewBufferString(personalHead)
	writeKeys(t, page, config.PersonSchema)
	compare(t, "../../../docs/personal.md", page.Bytes())
}

const personalHead = `# Settings of one person

` + "`$XDG_CONFIG_HOME/wr/config.toml` (`~/.config/wr/config.toml`)" + ` holds for all workspaces,
` + "`wr.local.toml` beside the root's `wr.toml`" + ` for one work tree. The latter is nobody else's: wr reads it
only while git ignores it and it belongs to whoever runs wr; ` + "`wr init`" + ` adds it to ` + "`.gitignore`" + `.

What the second one says goes before the first, mounts, limits, mirrors and the ports of a project each by
itself; the variables of both are allowed. Where ` + "`CI`" + ` is set, nothing of it counts. Each run of tests
records what did: in ` + "`events.ndjson`, in `junit.xml` as properties `personal.KEY`" + `, and below the table.
` + "`wr config --origin`" + ` shows all that counts here and the file and line that it comes from, and
` + "`wr config schema --personal`" + ` prints what follows as a JSON schema. Made by
` + "`go test ./cmd/wr/cli -run Page -update`" + `.
`

// writeKeys writes what each table of a file can hold.
func writeKeys(t *testing.T, page *bytes.Buffer, describe func() ([]byte, error)) {
	t.Helper()
	text, err := describe()
	if err != nil {
		t.Fatal(err)
	}
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(root.Properties)) {
		table := root.Properties[name]
		title := "[" + name + "]"
		if named, ok := table.Named(); ok {
			title, table.Properties = "["+name+".\"NAME\"]", named.Properties
		}
		if free, ok := table.Free(); ok {
			fmt.Fprintf(page, "\n## %s\n\n%s\n\nEach value is a %s.\n", title, table.Description, free.kind())
			continue
		}
		table.write(page, title)
	}
}

// write writes what a table can hold, then what the tables in its lists can.
func (s schema) write(page *bytes.Buffer, title string) {
	fmt.Fprintf(page, "\n## %s\n\n%s\n\n| key | type | default | |\n|---|---|---|---|\n", title, s.Description)
	keys := slices.Sorted(maps.Keys(s.Properties))
	for _, key := range keys {
		p := s.Properties[key]
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", key, p.kind(), p.fallback(), p.Description)
	}
	for _, key := range keys {
		if p := s.Properties[key]; p.Items != nil && len(p.Items.Properties) > 0 {
			p.Items.Description = p.Description
			p.Items.write(page, "["+strings.Replace(title, "]", "."+key+"]]", 1))
		}
		if p := s.Properties[key]; len(p.Properties) > 0 {
			p.write(page, strings.Replace(title, "]", "."+key+"]", 1))
		}
		if named, ok := s.Properties[key].Named(); ok {
			named.Description = s.Properties[key].Description
			named.write(page, strings.Replace(title, "]", "."+key+".\"NAME\"]", 1))
		}
		if p := s.Properties[key]; len(p.Properties) > 0 {
			p.write(page, strings.Replace(title, "]", "."+key+"]", 1))
		}
	}
}

// schema is the part of a JSON schema that the page shows.
type schema struct {
	Type        string            `json:"type"`
	Description string            `json:"description"`
	Default     any               `json:"default"`
	Enum        []string          `json:"enum"`
	Items       *schema           `json:"items"`
	AnyOf       []schema          `json:"anyOf"`
	Properties  map[string]schema `json:"properties"`
	Additional  json.RawMessage   `json:"additionalProperties"`
}

// Named returns what each value of a table with free names is.
func (s schema) Named() (schema, bool) {
	var value schema
	err := json.Unmarshal(s.Additional, &value)
	return value, err == nil && len(value.Properties) > 0
}

// Free returns what each value of a table with free names is, when it is no table.
func (s schema) Free() (schema, bool) {
	var value schema
	err := json.Unmarshal(s.Additional, &value)
	return value, err == nil && value.Type != "" && value.Type != "object"
}

func (s schema) kind() string {
	switch {
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, " or ")
	case len(s.AnyOf) > 0:
		var kinds []string
		for _, one := range s.AnyOf {
			kinds = append(kinds, one.kind())
		}
		return strings.Join(kinds, " or ")
	case s.Type == "array" && len(s.Items.Properties) > 0:
		return "list of tables"
	case s.Type == "array":
		return "list of " + s.Items.Type + "s"
	case len(s.Properties) > 0:
		return "table"
	case s.Type == "object":
		if _, named := s.Named(); named {
			return "table of tables"
		}
		if string(s.Additional) == "{}" || len(s.Properties) > 0 {
			return "table"
		}
		return "table of strings"
	default:
		return s.Type
	}
}

func (s schema) fallback() string {
	if s.Default == nil {
		return ""
	}
	text, err := json.Marshal(s.Default)
	if err != nil {
		return ""
	}
	return "`" + string(text) + "`"
}

// compare compares a page with what it should be, or writes it with -update.
func compare(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil { //nolint:gosec // a page for everybody
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not true any more, run go test ./cmd/wr/cli -run Page -update (-want +got):\n%s", path, diff)
	}
}
