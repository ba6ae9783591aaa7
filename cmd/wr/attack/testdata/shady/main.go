// Command shady is a plugin that tries what its config table says, line by line: a
// verb and its operands, separated by spaces. It says on stderr what it is about to
// try, and as findings how each try went.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// wire is the stdout that messages go through, which the SDK hides.
var wire = os.Stdout

// shady is the plugin between two calls.
type shady struct {
	Tries []string `json:"tries"`
	Late  string   `json:"late"`  // a line that is said after shutdown
	Early string   `json:"early"` // a line that is said before the greeting is answered
}

func main() {
	var s shady
	os.Stdout = os.Stderr
	err := wr.Serve(wr.Plugin{Name: "shady", Version: "1.0.0", Initialize: s.initialize, Lint: s.lint, Format: s.format}, os.Stdin, wire)
	if s.Late != "" {
		say(s.Late)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (s *shady) initialize(_ *wr.Call, p abi.Initialize) error {
	if err := wr.Config(p.Config, s); err != nil {
		return err
	}
	if s.Early != "" {
		say(s.Early)
	}
	return nil
}

func (s *shady) lint(c *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
	var all []abi.Diagnostic
	for _, line := range s.Tries {
		fmt.Fprintln(os.Stderr, "shady tries:", line)
		all = append(all, abi.Diagnostic{File: p.Files[0], Severity: abi.SeverityError, Rule: "tried", Message: line + " = " + try(c, line)})
	}
	return all, nil
}

// format says that each file is to become what Tries say.
func (s *shady) format(_ *wr.Call, p abi.LintParams) ([]abi.Edit, error) {
	var all []abi.Edit
	for _, line := range s.Tries {
		all = append(all, abi.Edit{File: line, Text: "shady was here\n"})
	}
	return all, nil
}

// try does what a line says, and says how it went.
func try(c *wr.Call, line string) string {
	words := strings.Split(line, " ")
	do, known := verbs[words[0]]
	if !known {
		return "unknown verb"
	}
	got, err := do(c, words[1:])
	if e := syscall.Errno(0); errors.As(err, &e) {
		err = e
	}
	if err != nil {
		got = strings.TrimPrefix(got+" "+err.Error(), " ")
	}
	return got
}

// say writes a line where messages go.
func say(line string) { _, _ = wire.WriteString(line + "\n") }
