package cli

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/sdk/go/abi"
)

// taskFlags are the flags of a task of plugins, which only its manifest knows.
type taskFlags struct {
	Own kong.Plugins `embed:""`

	task pluginTask
}

// newTaskFlags are those of a task.
func newTaskFlags(o pluginTask) taskFlags {
	return taskFlags{Own: kong.Plugins{flagsOf(o.Flags)}, task: o}
}

// Help is the long form.
func (f *taskFlags) Help() string {
	text := fmt.Sprintf("A task of the plugin %s, which works in its sandbox with what wr.lock grants it. ", strings.Join(f.task.plugins, " and of "))
	if f.task.Args != "" {
		text += "What follows -- goes to it as it is (" + f.task.Args + "). "
	}
	return text + "\n\nExit codes: 0 all is well, 1 what was checked is not as it should be, 2 bad usage, 3 the plugin could not do it, 130 interrupted."
}

// flagsOf makes a struct that the parser fills, with a field for each flag.
func flagsOf(flags []abi.Flag) any {
	fields := make([]reflect.StructField, len(flags))
	for i, flag := range flags {
		fields[i] = reflect.StructField{Name: "Flag" + strconv.Itoa(i), Type: typeOf(flag.Type), Tag: tagOf(flag)}
	}
	return reflect.New(reflect.StructOf(fields)).Interface()
}

// typeOf is what a flag is parsed into: a pointer, which is nil for one that was not
// given and has no default.
func typeOf(t abi.FlagType) reflect.Type {
	switch t {
	case abi.FlagBool:
		return reflect.TypeFor[*bool]()
	case abi.FlagInt:
		return reflect.TypeFor[*int64]()
	case abi.FlagList:
		return reflect.TypeFor[[]string]()
	case abi.FlagString:
	}
	return reflect.TypeFor[*string]()
}

// tagOf says of a flag what the parser has to know. Why no variable: WR_SECRET_TOKEN
// would be the default of --secret-token, and a plugin is told nothing of the
// environment.
func tagOf(flag abi.Flag) reflect.StructTag {
	help := flag.Help
	if len(flag.Choices) > 0 {
		help = strings.TrimRight(help, ". ") + ": " + strings.Join(flag.Choices, ", ") + "."
	}
	tag := fmt.Sprintf("name:%s help:%s env:\"-\" sep:\"none\"", tagText(flag.Name), tagText(help))
	if len(flag.Choices) > 0 {
		tag += " enum:" + tagText(strings.Join(flag.Choices, ","))
	}
	if flag.Default != "" {
		tag += " default:" + tagText(flag.Default)
	}
	if flag.Type != abi.FlagBool {
		tag += " placeholder:" + tagText(cmp.Or(flag.Default, map[abi.FlagType]string{abi.FlagInt: "N"}[flag.Type], "TEXT"))
	}
	return reflect.StructTag(tag)
}

// tagText is a text in a tag. Why signs by their numbers: the parser takes a \ before
// a quote for one that hides it, whatever is before that.
func tagText(text string) string {
	text = strconv.Quote(escaped(text))
	return `"` + strings.NewReplacer(`\\`, `\u005c`, `\"`, `\u0022`).Replace(text[1:len(text)-1]) + `"`
}

// escaped is a text in which the parser finds no variables.
func escaped(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// given are the flags as the plugin is told them.
func (f *taskFlags) given() map[string][]string {
	all := map[string][]string{}
	values := reflect.ValueOf(f.Own[0]).Elem()
	for i, flag := range f.task.Flags {
		value := values.Field(i)
		switch {
		case value.IsZero():
		case value.Kind() == reflect.Slice:
			all[flag.Name], _ = reflect.TypeAssert[[]string](value)
		default:
			all[flag.Name] = []string{fmt.Sprint(value.Elem().Interface())}
		}
	}
	return all
}

// taskGroup is where help lists tasks of plugins.
const taskGroup = "tasks"

// withTasks has the parser know tasks of plugins.
func withTasks(tasks []pluginTask) []kong.Option {
	all := make([]kong.Option, len(tasks))
	for i, o := range tasks {
		command := &taskCmd{taskFlags: newTaskFlags(o)}
		all[i] = kong.DynamicCommand(o.Name, escaped(o.Help), taskGroup, command)
	}
	return all
}
