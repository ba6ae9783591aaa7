package manifest

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/mod/semver"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Bounds of what a manifest holds, so that all of it can be shown.
const (
	maxText  = 300 // bytes of a text for people
	maxName  = 64  // bytes of what has a shape
	maxItems = 100 // of any list
)

// shapes of names, compiled when the first one is looked at.
var (
	nameShape   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9-]*$`) })
	hookShape   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(before|after) (build|test|release)$`) })
	choiceShape = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+:@/-]*$`) })
	eventShape  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\*|[a-z]+(_[a-z]+)*)$`) })
)

// judge finds what makes no sense in a manifest that could be read.
type judge struct {
	*config.Tables
	m     *abi.Manifest
	taken Words
}

// version refuses another protocol, of which nothing else is known.
func (j judge) version() bool {
	if !j.Sound("abi") || j.m.ABI == abi.Version {
		return true
	}
	if j.m.ABI == "" {
		j.Refuse("abi", "", "is missing; this wr speaks %s", abi.Version)
	} else {
		j.Refuse("abi", "", "the plugin is made for %q, and this wr speaks %s", j.m.ABI, abi.Version)
	}
	return false
}

func (j judge) all() {
	j.shape("name", j.m.Name, nameShape(), "lower-case letters, digits and -, such as shlint")
	if v := j.m.Version; j.Sound("version") && (!semver.IsValid("v"+v) || strings.Count(strings.SplitN(v, "-", 2)[0], ".") != 2) {
		j.Refuse("version", "", "%q is not a semantic version such as 1.4.0", v)
	}
	j.text("description", j.m.Description, false)
	j.text("license", j.m.License, false)
	if u, err := url.Parse(j.m.Homepage); j.m.Homepage != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		j.Refuse("homepage", "", "%q is not the address of a page", j.m.Homepage)
	}
	j.provides()
	j.requests()
	j.kind()
}

// kind checks what differs between the kinds.
func (j judge) kind() {
	switch j.m.Kind {
	case abi.KindRPC:
		if j.m.Tool != nil {
			j.Refuse("tool", "", `is for kind = "tool"`)
		}
	case abi.KindTool:
		j.tool()
	default:
		j.oneOf("kind", string(j.m.Kind), string(abi.KindRPC), string(abi.KindTool))
	}
}

// provides checks what the plugin can be asked for.
func (j judge) provides() {
	p := j.m.Provides
	if p.Lint == nil && p.Format == nil && len(p.Tasks)+len(p.Checks)+len(p.Events) == 0 && !p.Discover && !p.Release && !p.Image && j.Sound("provides") {
		j.Refuse("provides", "", "is empty: there is nothing that the plugin could do")
	}
	for name, files := range map[string]*abi.Files{"provides.lint": p.Lint, "provides.format": p.Format} {
		if files != nil {
			j.globs(config.Below(name, "globs"), files.Globs)
		}
	}
	for i, hook := range j.few("provides.checks", p.Checks) {
		j.shape(config.Element("provides.checks", i), hook, hookShape(), "before or after, and build, test or release")
	}
	for i, kind := range j.few("provides.events", p.Events) {
		j.shape(config.Element("provides.events", i), kind, eventShape(), "a kind of events such as run_finished, or *")
	}
	j.tasks(p.Tasks)
}

func (j judge) globs(at string, globs []string) {
	if len(globs) == 0 && j.Sound(at) {
		j.Refuse(at, "", "is missing or empty")
	}
	for i, glob := range j.few(at, globs) {
		if err := scope.Check(glob); err != nil && j.Sound(config.Element(at, i)) {
			j.Refuse(config.Element(at, i), "", "%v", err)
		}
	}
}

func (j judge) tasks(tasks []abi.Task) {
	seen := map[string]bool{}
	for i, task := range tasks {
		at := config.Element("provides.tasks", i)
		j.shape(config.Below(at, "name"), task.Name, nameShape(), "lower-case letters, digits and -")
		if slices.Contains(j.taken.Commands, task.Name) {
			j.Refuse(config.Below(at, "name"), "", "wr %s is a command of wr's own; choose another name", task.Name)
		}
		if seen[task.Name] {
			j.Refuse(config.Below(at, "name"), "", "there are two tasks %q", task.Name)
		}
		seen[task.Name] = true
		j.text(config.Below(at, "help"), task.Help, true)
		j.text(config.Below(at, "args"), task.Args, false)
		j.flags(config.Below(at, "flags"), task.Flags)
	}
}

func (j judge) flags(at string, flags []abi.Flag) {
	seen := map[string]bool{}
	for i, flag := range flags {
		at := config.Element(at, i)
		j.shape(config.Below(at, "name"), flag.Name, nameShape(), "lower-case letters, digits and -")
		if slices.Contains(j.taken.Flags, flag.Name) || seen[flag.Name] {
			j.Refuse(config.Below(at, "name"), "", "--%s is taken", flag.Name)
		}
		seen[flag.Name] = true
		j.text(config.Below(at, "help"), flag.Help, true)
		j.text(config.Below(at, "default"), flag.Default, false)
		j.oneOf(config.Below(at, "type"), string(flag.Type), string(abi.FlagString), string(abi.FlagBool), string(abi.FlagInt), string(abi.FlagList))
		for i, choice := range j.few(config.Below(at, "choices"), flag.Choices) {
			j.shape(config.Element(config.Below(at, "choices"), i), choice, choiceShape(), "a word of letters, digits and any of . _ + : @ / -")
		}
		if reason := wrongDefault(flag); reason != "" {
			j.Refuse(config.Below(at, "default"), "", "%s", reason)
		}
	}
}

// wrongDefault says why a flag's default is no value of it, "" if it is one.
func wrongDefault(f abi.Flag) string {
	_, notInt := strconv.ParseInt(f.Default, 10, 64)
	switch {
	case len(f.Choices) > 0 && (f.Type == abi.FlagBool || f.Type == abi.FlagInt):
		return "choices are for strings and lists"
	case f.Default == "":
		return ""
	case f.Type == abi.FlagInt && notInt != nil:
		return fmt.Sprintf("%q is not a whole number", f.Default)
	case f.Type == abi.FlagBool && f.Default != "true" && f.Default != "false":
		return fmt.Sprintf("%q is neither true nor false", f.Default)
	case len(f.Choices) > 0 && !slices.Contains(f.Choices, f.Default):
		return fmt.Sprintf("%q is not one of %s", f.Default, strings.Join(f.Choices, ", "))
	}
	return ""
}

// toolCaps are the capabilities that make sense for a program that knows nothing
// of wr: it cannot ask.
var toolCaps = []string{abi.CapRead, abi.CapOut, abi.CapClock, abi.CapRandom}

// requests checks what the plugin asks for.
func (j judge) requests() {
	seen := map[abi.Capability]bool{}
	for i, r := range j.m.Capabilities {
		at := config.Element("capabilities", i)
		name := config.Below(at, "name")
		err := capability.Check(r.Capability)
		switch {
		case !j.Sound(at) || !j.Sound(name) || !j.Sound(config.Below(at, "value")):
		case !capability.Known(r.Name):
			j.Refuse(name, fault.Closest(r.Name, capability.Names()), "there is no capability %q", r.Name)
		case err != nil:
			j.Refuse(config.Below(at, "value"), "", "%v", err)
		case seen[r.Capability]:
			j.Refuse(at, "", "%s is asked for twice", r.Capability)
		case j.m.Kind == abi.KindTool && !slices.Contains(toolCaps, r.Name):
			j.Refuse(name, "", `a tool cannot use %s; it is for kind = "rpc"`, r.Name)
		}
		seen[r.Capability] = true
		j.text(config.Below(at, "reason"), r.Reason, true)
	}
	if len(j.m.Capabilities) > maxItems {
		j.Refuse("capabilities", "", "there are more than %d", maxItems)
	}
}

// text checks a line for people, which must show as it is.
func (j judge) text(at, text string, needed bool) {
	switch {
	case !j.Sound(at):
	case needed && strings.TrimSpace(text) == "":
		j.Refuse(at, "", "is missing or empty")
	case len(text) > maxText:
		j.Refuse(at, "", "has more than %d bytes", maxText)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		j.Refuse(at, "", "%q has characters that do not show", text)
	}
}

func (j judge) shape(at, text string, shape *regexp.Regexp, words string) {
	if !j.Sound(at) {
		return
	}
	if text == "" {
		j.Refuse(at, "", "is missing or empty")
	} else if len(text) > maxName || !shape.MatchString(text) {
		j.Refuse(at, "", "%q is not %s", text, words)
	}
}

func (j judge) oneOf(at, text string, allowed ...string) {
	if j.Sound(at) && !slices.Contains(allowed, text) {
		j.Refuse(at, fault.Closest(text, allowed), "%q is not one of %s", text, strings.Join(allowed, ", "))
	}
}

// few refuses a list that nobody would read.
func (j judge) few(at string, list []string) []string {
	if len(list) > maxItems {
		j.Refuse(at, "", "there are more than %d", maxItems)
		return nil
	}
	return list
}
