package task

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec"
)

// Process is what the call runs, in the project's directory inside.
func (c Call) Process() spec.Process {
	return spec.Process{Args: c.args(), Env: c.env()}
}

// env is the task's own environment, then its arguments. One that was not
// given is empty, so that nothing of the same name shines through.
func (c Call) env() []string {
	var env []string
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		env = append(env, name+"="+c.Env[name])
	}
	for _, arg := range c.Args {
		env = append(env, arg.Name+"="+c.value(arg))
	}
	return env
}

// value is that of an argument; a bool that is false is empty, so that
// ${NAME:+--flag} means what it says.
func (c Call) value(arg config.Arg) string {
	value := c.values[arg.Name]
	if arg.Type == config.ArgBool && value == "false" {
		return ""
	}
	return value
}

// ownWords matches a line that says itself where its words go.
var ownWords = regexp.MustCompile(`\$[@*1-9]|\$\{[@*1-9]`)

// args are the words to start.
func (c Call) args() []string {
	if len(c.Run.Words) > 0 {
		return append(c.fill(c.Run.Words), c.words...)
	}
	line := strings.TrimSpace(c.Run.Line)
	if len(c.words) > 0 && !ownWords.MatchString(line) {
		line += ` "$@"`
	}
	return append([]string{"/bin/sh", "-c", line, c.Name}, c.words...)
}

// fill replaces ${NAME} of the arguments in words. A word that is nothing but
// an argument without a value is left out.
func (c Call) fill(words []string) []string {
	var pairs []string
	empty := map[string]bool{}
	for _, arg := range c.Args {
		value := c.value(arg)
		pairs = append(pairs, "${"+arg.Name+"}", value)
		empty["${"+arg.Name+"}"] = value == ""
	}
	replace := strings.NewReplacer(pairs...)
	var filled []string
	for _, word := range words {
		if !empty[word] {
			filled = append(filled, replace.Replace(word))
		}
	}
	return filled
}
