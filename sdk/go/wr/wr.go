// Package wr is for plugins of wr that are written in Go. A plugin is an ordinary
// program for GOOS=wasip1 whose main calls Main:
//
//	func main() {
//		wr.Main(wr.Plugin{Name: "todo", Version: "1.0.0", Lint: lint})
//	}
//
//	func lint(c *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) { ... }
//
// The same program runs natively, under a debugger or in tests, and speaks the
// same protocol over its stdin and stdout.
//
// What a plugin is, provides and may do is said by its manifest, which lies beside
// the module: see docs/plugins. What is printed to os.Stdout becomes part of the
// log, as what is printed to os.Stderr does.
package wr

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Plugin says who answers what the host asks. What is nil is refused; the manifest
// must provide what is not. Functions are never called at the same time.
type Plugin struct {
	Name    string
	Version string

	Initialize func(c *Call, p abi.Initialize) error // before all others; see Config for p.Config
	Lint       func(c *Call, p abi.LintParams) ([]abi.Diagnostic, error)
	Format     func(c *Call, p abi.LintParams) ([]abi.Edit, error)
	Discover   func(c *Call, p abi.DiscoverParams) ([]abi.TestFile, error)
	Tasks      map[string]Task // by name
	Release    func(c *Call, p abi.ReleaseParams) ([]abi.Step, error)
	Image      func(c *Call, p abi.ImageParams) (abi.ImageResult, error)
	Check      func(c *Call, p abi.CheckParams) ([]abi.Diagnostic, error)
	Event      func(c *Call, p abi.Event) error
}

// Task answers for one task of the manifest.
type Task func(c *Call, p abi.TaskParams) (abi.TaskResult, error)

// Main serves the host until it has no more questions, and ends the program: with
// exit code 0 if all went as the protocol says.
func Main(p Plugin) {
	out := os.Stdout
	os.Stdout = os.Stderr // what a plugin or its libraries print must not be taken for messages
	if err := Serve(p, os.Stdin, out); err != nil {
		fmt.Fprintln(os.Stderr, p.Name+":", err)
		os.Exit(1) //nolint:forbidigo // it is the plugin's main
	}
}

// Config decodes a config table of the project's author over the defaults that
// config holds. Its error is one for the author.
func Config(table json.RawMessage, config any) error {
	if len(table) == 0 {
		return nil
	}
	if err := json.Unmarshal(table, config); err != nil {
		return Invalid("%v", err)
	}
	return nil
}

// Invalid is the error of a configuration that its author has to mend.
func Invalid(format string, args ...any) error {
	return &abi.Error{Code: abi.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
