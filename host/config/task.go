package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// BuildTask is the name by which a task needs an image and nothing else.
const BuildTask = "build"

// Task is one table [tasks.NAME].
type Task struct {
	Run   Command           `toml:"run" doc:"What to run in the project's container: a line for sh, or a list of words that no shell sees. The value of an argument is ${NAME} in both."`
	Help  string            `toml:"help" doc:"What the task is for, in a line."`
	Args  []Arg             `toml:"args" doc:"Arguments of the task, as tables. Without any, all words go to the command as they are."`
	Needs []string          `toml:"needs" doc:"What comes first: other tasks, those of another project as PROJECT:TASK, or build for an image."`
	Env   map[string]string `toml:"env" doc:"Variables of this task, over those of [env]."`
}

// Arg is an argument that a task takes. One that is required is a word, in the
// order of the file; the others are flags.
type Arg struct {
	Name     string   `toml:"name" doc:"Name of the argument, and of the variable that holds its value. The flag has - for _."`
	Type     ArgType  `toml:"type" enum:"string,int,bool,choice" default:"string" doc:"What it takes. A bool is true or empty."`
	Default  Scalar   `toml:"default" doc:"Value when it is not given. Default: empty."`
	Choices  []string `toml:"choices" doc:"The values of a choice."`
	Required bool     `toml:"required" doc:"It is a word that must be given, and no flag."`
	Help     string   `toml:"help" doc:"What it is for, in a line."`
}

// ArgType is what an argument of a task takes.
type ArgType string

// The types of arguments. The zero value is ArgString.
const (
	ArgString ArgType = "string"
	ArgInt    ArgType = "int"
	ArgBool   ArgType = "bool"
	ArgChoice ArgType = "choice"
)

// argShape is what a variable and, with - for _, a flag can be called.
var argShape = shape(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)

// checkTasks checks every task by itself; whether there is what it needs can
// only be said when all projects are known.
func (d *decoder) checkTasks(tasks map[string]Task) {
	for _, name := range slices.Sorted(maps.Keys(tasks)) {
		at, t := join("tasks", name), tasks[name]
		if !nameShape().MatchString(name) {
			d.refuse(at, "%q is not letters, digits and . _ -", name)
		}
		if name == BuildTask {
			d.refuse(at, "the name stands for the image; choose another")
		}
		if run := join(at, "run"); t.Run.Empty() && !d.bad[run] && !d.bad[at] {
			d.refuse(run, "is missing or empty")
		}
		for i, need := range t.Needs {
			d.filled(element(join(at, "needs"), i), need)
		}
		d.checkVariables(join(at, "env"), t.Env)
		d.checkArgs(join(at, "args"), t.Args)
	}
}

// checkArgs checks the arguments of one task.
func (d *decoder) checkArgs(at string, args []Arg) {
	seen := map[string]bool{}
	for i, arg := range args {
		here := element(at, i)
		if d.bad[here] {
			continue
		}
		switch {
		case d.bad[join(here, "name")]:
		case !argShape().MatchString(arg.Name):
			d.refuse(join(here, "name"), "%q is not lower-case letters, digits and single _ between them", arg.Name)
		case arg.Name == "help" || seen[arg.Name]:
			d.refuse(join(here, "name"), "%q is taken", arg.Name)
		}
		seen[arg.Name] = true
		d.checkArg(here, arg)
	}
}

// checkArg checks that what an argument says of its values agrees.
func (d *decoder) checkArg(at string, arg Arg) {
	value := join(at, "default")
	switch isChoice := arg.Type == ArgChoice; {
	case d.bad[join(at, "type")] || d.bad[join(at, "choices")]:
	case isChoice && len(arg.Choices) == 0:
		d.refuse(at, "a choice needs choices")
	case !isChoice && len(arg.Choices) > 0:
		d.refuse(join(at, "choices"), `are for type = "choice"`)
	case arg.Required && arg.Type == ArgBool:
		d.refuse(join(at, "required"), "a bool is a flag and cannot be required")
	case arg.Required && arg.Default.Given:
		d.refuse(value, "what is required needs no default")
	case arg.Default.Given:
		if err := arg.Check(arg.Default.Text); err != nil {
			d.refuse(value, "%v", err)
		}
	}
}

// Flag is the argument's flag without the two dashes before it.
func (a Arg) Flag() string { return strings.ReplaceAll(a.Name, "_", "-") }

// Check returns why text is no value of the argument, or nil.
func (a Arg) Check(text string) error {
	switch {
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%q holds a NUL byte", text)
	case a.Type == ArgChoice && !slices.Contains(a.Choices, text):
		return fmt.Errorf("%q is not one of %s", text, strings.Join(a.Choices, ", "))
	case a.Type == ArgInt:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
	case a.Type == ArgBool && text != "true" && text != "false":
		return fmt.Errorf("%q is not true or false", text)
	}
	return nil
}
