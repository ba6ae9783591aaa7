package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/task"
	"github.com/wr-build/wr/host/workspace"
)

// completeCall answers a shell that asks what could follow a task's name, and
// reports whether that was the question: only wr.toml knows.
func (a *app) completeCall(ctx context.Context, out io.Writer, words []string, last string) bool {
	at := slices.IndexFunc(words, isWord)
	if at < 0 || words[at] != "run" {
		return false
	}
	words = words[at+1:]
	if at = slices.IndexFunc(words, isWord); at < 0 {
		return false
	}
	ws, err := workspace.Load(ctx, ".")
	if err != nil {
		return true
	}
	project, name := task.Split(words[at])
	p, err := a.project(ws, project)
	if err != nil {
		return true
	}
	found, err := task.Find(ws, p, name)
	if err != nil {
		return true
	}
	for _, option := range callOptions(found.Args, words[at:], last) {
		if strings.HasPrefix(option, last) {
			fmt.Fprintln(out, option)
		}
	}
	return true
}

func isWord(text string) bool { return !strings.HasPrefix(text, "-") }

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

// callOptions lists what can follow words, the first of which is the task.
func callOptions(args []config.Arg, words []string, last string) []string {
	previous := words[len(words)-1]
	var options, choices []string
	position := 0
	for _, word := range words[1:] {
		if isWord(word) {
			position++
		}
	}
	for _, arg := range args {
		flag := "--" + arg.Flag()
		switch {
		case arg.Required && position == 0:
			choices = append(choices, arg.Choices...)
			position--
		case arg.Required:
			position--
		case previous == flag && arg.Type == config.ArgChoice:
			return arg.Choices
		default:
			options = append(options, flag)
		}
	}
	if strings.HasPrefix(last, "-") {
		return append(options, "--help")
	}
	return choices
}
