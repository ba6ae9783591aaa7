package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
)

// callOf is what a line that is being typed says after wr run and its flags: a
// task's name and words that are its own, or nothing.
func callOf(typed *kong.Context) (call []string) {
	if node := typed.Selected(); node == nil || node.Name != "run" {
		return nil
	}
	for _, part := range typed.Path {
		if part.Positional != nil {
			call, _ = reflect.TypeAssert[[]string](typed.Value(part))
		}
	}
	return call
}

// completeCall completes the arguments of a task, which only wr.toml knows.
func (a *app) completeCall(ctx context.Context, out io.Writer, call []string, last string) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return
	}
	project, name := task.Split(call[0])
	p, err := a.project(ws, project)
	if err != nil {
		return
	}
	for _, option := range callOptions(a.argsNamed(ctx, ws, p, name), call[1:], last) {
		if strings.HasPrefix(option, last) {
			fmt.Fprintln(out, option)
		}
	}
}

// argsNamed are the arguments of the task with a name, in wr.toml or of a plugin.
func (a *app) argsNamed(ctx context.Context, ws *workspace.Workspace, p workspace.Project, name string) []config.Arg {
	if found, err := task.Find(ws, p, name); err == nil {
		return found.Args
	}
	tasks, _ := a.pluginTasks(ctx, ws.Root, false) // completion goes on without
	for _, t := range tasks {
		if t.Name == name {
			return argsOf(t.Flags)
		}
	}
	return nil
}

// completed cuts a line as typed so far into the words that are complete, wr
// itself left out, and the one that is being typed.
func completed(line, point string) (words []string, last string) {
	if n, err := strconv.Atoi(point); err == nil && n >= 0 && n < len(line) {
		line = line[:n]
	}
	words = strings.Fields(line)
	if !strings.HasSuffix(line, " ") && len(words) > 0 {
		last, words = words[len(words)-1], words[:len(words)-1]
	}
	return words[min(1, len(words)):], last
}

// callOptions lists what last can become after words, which are the task's own.
func callOptions(args []config.Arg, words []string, last string) []string {
	flags := map[string]config.Arg{}
	for _, arg := range args {
		if !arg.Required {
			flags["--"+arg.Flag()] = arg
		}
	}
	next, ofFlag := awaited(args, flags, words)
	flag, _, valued := strings.Cut(last, "=")
	switch {
	case ofFlag || !strings.HasPrefix(last, "-"):
		return next.Choices
	case !valued:
		return append(slices.Sorted(maps.Keys(flags)), "--help")
	}
	var options []string
	for _, choice := range flags[flag].Choices {
		options = append(options, flag+"="+choice)
	}
	return options
}

// awaited is the argument that gets its value after words: that of the flag
// before it, or else the next one that has a place; the zero value is none.
func awaited(args []config.Arg, flags map[string]config.Arg, words []string) (next config.Arg, ofFlag bool) {
	place := 0
	for _, word := range words {
		flag, isFlag := flags[word]
		switch {
		case ofFlag:
			ofFlag = false
		case isFlag && flag.Type != config.ArgBool:
			next, ofFlag = flag, true
		case !strings.HasPrefix(word, "-"):
			place++
		}
	}
	if ofFlag {
		return next, true
	}
	for _, arg := range args {
		if arg.Required && place == 0 {
			return arg, false
		} else if arg.Required {
			place--
		}
	}
	return config.Arg{}, false
}
