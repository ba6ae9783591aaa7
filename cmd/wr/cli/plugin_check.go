package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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
	return "Talks to a plugin as wr does, and as a newer wr or a broken one might, in the sandbox and without any rights, and says which rules of the protocol it keeps. See docs/plugins/abi.md.\n\nExit codes: 0 it keeps to all of them, 1 it does not, 2 bad usage, 3 it is no plugin or cannot be run."
}

// Read checks the plugin. Nothing is added.
func (c *pluginCheckCmd) Read(ctx context.Context, a *app) error {
	b, err := a.getTyped(ctx, a.fetcher(a.dir), c.Source)
	if err != nil {
		return err
	}
	if b.Manifest.Kind != abi.KindRPC {
		return &fault.Error{Code: "plugin.kind", Class: fault.Usage, Message: fmt.Sprintf("%s is of kind %q, which speaks no protocol", c.Source, b.Manifest.Kind), Next: "wr plugin inspect shows what it is"}
	}
	s, err := c.stand(a, b)
	if err != nil {
		return err
	}
	if err := sandbox.Compile(ctx, s.config); err != nil {
		return errors.Join(err, s.close())
	}
	findings, err := conform.Check(ctx, conform.Subject{Manifest: b.Manifest.Manifest, Files: c.Files, Start: s.start})
	if err = errors.Join(err, s.close()); err != nil {
		return err
	}
	return a.tellFindings(findings)
}

// stand is what a plugin is checked on: a module on disk and a directory to read.
type stand struct {
	config sandbox.Config
	dir    string // temporary
	root   *os.File
}

func (c *pluginCheckCmd) stand(a *app, b fetch.Bundle) (s *stand, err error) {
	s = &stand{}
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
	s.config.Root, s.config.Mount = s.root, view
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
