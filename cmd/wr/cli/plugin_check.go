package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/lint"
	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/plugin/vfs"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// pluginCheckCmd is `wr plugin check SOURCE [FILE...]`.
type pluginCheckCmd struct {
	Source string   `arg:"" predictor:"source" help:"A file, an address such as https://example.com/lint.wasm, or the name of a plugin that wr carries."`
	Files  []string `arg:"" optional:"" name:"file" help:"Files below the current directory that it is to lint and format meanwhile; it may read these alone."`
}

// Help is the long form.
func (pluginCheckCmd) Help() string {
	return "Talks to a plugin as wr does, and as a newer wr or a broken one might, in the sandbox and without any rights, and says which rules of the protocol it keeps. A plugin of kind tool, which knows no protocol, is started on the files, and held against what its manifest says of it. See docs/plugins/abi.md.\n\nExit codes: 0 it keeps to all of them, 1 it does not, 2 bad usage, 3 it is no plugin or cannot be run."
}

// Read checks the plugin. Nothing is added.
func (c *pluginCheckCmd) Read(ctx context.Context, a *app) error {
	for i, file := range c.Files {
		c.Files[i] = path.Clean(filepath.ToSlash(file))
	}
	b, err := a.getTyped(ctx, a.fetcher(a.dir), c.Source)
	if err != nil {
		return err
	}
	files, err := c.lookedAt(b)
	if err != nil {
		return err
	}
	s, err := c.stand(a, b)
	if err != nil {
		return err
	}
	if err := sandbox.Compile(ctx, s.config); err != nil {
		return errors.Join(err, s.close())
	}
	findings, err := s.check(ctx, b.Manifest.Manifest, files)
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	return a.tellFindings(findings)
}

// lookedAt are the files that the plugin is to look at. A tool says nothing without
// any; it may read the others, as its configuration.
func (c *pluginCheckCmd) lookedAt(b fetch.Bundle) ([]string, error) {
	if b.Manifest.Kind == abi.KindRPC {
		return c.Files, nil
	}
	provided := filesOf(b.Manifest.Provides).Globs
	globs := lint.NewGlobs(provided)
	files := slices.DeleteFunc(slices.Clone(c.Files), func(file string) bool { return !globs.Match(file) })
	if len(files) == 0 {
		return nil, &fault.Error{
			Code: "plugin.no_files", Class: fault.Usage, Message: fmt.Sprintf("%s is a program that looks at %s, and no such file is named", b.Manifest.Name, strings.Join(provided, ", ")),
			Next: "name some: wr plugin check " + c.Source + " FILE...",
		}
	}
	slices.Sort(files)
	return files, nil
}

// check tries the rules of the plugin's kind.
func (s *stand) check(ctx context.Context, m abi.Manifest, files []string) ([]conform.Finding, error) {
	if m.Kind == abi.KindRPC {
		return conform.Check(ctx, conform.Subject{Manifest: m, Files: files, Start: s.start})
	}
	p, err := hook.New(hook.Config{Manifest: m, Process: s.config, Grants: readOnly(s.files)})
	if err != nil {
		return nil, err
	}
	l := hook.Linter{Plugin: p, Project: "."}
	lint := func(ctx context.Context, files []string) ([]abi.Diagnostic, error) {
		said, _, err := l.Lint(ctx, files)
		return said, err
	}
	findings := conform.CheckTool(ctx, conform.Tool{Manifest: m, Files: files, Lint: lint, Format: l.Format})
	return findings, p.Close(ctx)
}

// readOnly are grants for some files, and for nothing else.
type readOnly []string

// Allow refuses: whoever it is asked for asks for something else.
func (readOnly) Allow(c abi.Capability) *abi.Denied {
	return &abi.Denied{Capability: c.String(), Grant: "nothing is granted while the plugin is checked"}
}

// Values are the files.
func (r readOnly) Values(name string) []string {
	if name != abi.CapRead {
		return nil
	}
	return r
}

// Texts are the files as capabilities.
func (r readOnly) Texts() []string {
	var all []string
	for _, file := range r {
		all = append(all, abi.Capability{Name: abi.CapRead, Value: file}.String())
	}
	return all
}

// stand is what a plugin is checked on: a module on disk and a directory to read.
type stand struct {
	config sandbox.Config
	files  []string // that the plugin may read
	dir    string   // temporary
	root   *os.File
}

func (c *pluginCheckCmd) stand(a *app, b fetch.Bundle) (s *stand, err error) {
	s = &stand{files: c.Files}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "wr-check-"); err != nil {
		return s, err
	}
	module := filepath.Join(s.dir, "plugin.wasm")
	if err := os.WriteFile(module, b.Module, 0o600); err != nil {
		return s, err
	}
	if s.root, err = os.Open(a.dir); err != nil {
		return s, err
	}
	view, err := json.Marshal(vfs.Mount{Globs: c.Files})
	digest, _ := b.Digests()
	s.config = a.process(b.Manifest.Name, module, digest)
	s.config.Root, s.config.Mount, s.config.Progress = s.root, view, a.preparing(b.Manifest.Name)
	return s, err
}

// start runs the plugin in a process of its own: a rule may well be the end of it.
func (s *stand) start(ctx context.Context) (rpc.Instance, error) {
	child, err := sandbox.Start(ctx, s.config)
	if err != nil {
		return rpc.Instance{}, err
	}
	instance, err := child.Instance(context.WithoutCancel(ctx), sandbox.Command{Args: []string{s.config.Name}})
	if err != nil {
		return rpc.Instance{}, errors.Join(err, child.Close())
	}
	return rpc.Instance{Stdin: instance.Stdin, Stdout: instance.Stdout, Kill: func() { _ = child.Close() }}, nil
}

func (s *stand) close() error {
	var err error
	if s.root != nil {
		err = s.root.Close()
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// tellFindings prints which rules are kept.
func (a *app) tellFindings(findings []conform.Finding) error {
	broken := 0
	for _, f := range findings {
		if len(f.Broken) > 0 {
			broken++
		}
	}
	if a.JSON {
		if err := a.printJSON(findings); err != nil {
			return err
		}
	} else {
		for _, f := range findings {
			fmt.Fprintln(a.Out, mark(f), f.Rule+":", f.Claim)
			for _, how := range f.Broken {
				fmt.Fprintln(a.Out, "     ", how)
			}
		}
		fmt.Fprintf(a.Out, "%d of %d rules kept\n", len(findings)-broken, len(findings))
	}
	if broken > 0 {
		return exit(1)
	}
	return nil
}

func mark(f conform.Finding) string {
	if len(f.Broken) > 0 {
		return "FAIL"
	}
	return "ok  "
}
