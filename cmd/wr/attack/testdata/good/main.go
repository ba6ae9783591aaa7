// Command good is a plugin that has done nothing wrong: it finds TODO.
package main

import (
	"io/fs"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

func main() {
	wr.Main(wr.Plugin{Name: "good", Version: "1.0.0", Lint: lint})
}

func lint(_ *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
	var found []abi.Diagnostic
	for _, file := range p.Files {
		text, err := fs.ReadFile(wr.Source(), file)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(text), "TODO") {
			found = append(found, abi.Diagnostic{File: file, Severity: abi.SeverityWarning, Rule: "todo", Message: "left to be done"})
		}
	}
	return found, nil
}
