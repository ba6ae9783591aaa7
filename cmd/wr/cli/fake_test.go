package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// fakeEngine keeps images as files below a directory and runs processes on
// this machine, container paths replaced by what is mounted there. It knows
// nothing of isolation: scripts that need it run with the real engine.
type fakeEngine struct {
	dir string
}

func (e fakeEngine) Close() error { return nil }

func (e fakeEngine) path(ref string) string {
	return filepath.Join(e.dir, strings.NewReplacer("/", "_", ":", "_").Replace(ref))
}

func (e fakeEngine) Lookup(_ context.Context, ref string) (spec.Image, bool, error) {
	text, err := os.ReadFile(e.path(ref))
	if err != nil {
		return spec.Image{}, false, nil //nolint:nilerr // an image that is not there is no error
	}
	return spec.Image{Ref: ref, Digest: digestOf(text)}, true, nil
}

// Build makes the image of every Dockerfile but those with `exit 7`.
func (e fakeEngine) Build(_ context.Context, b spec.Build, progress func(spec.Step)) (spec.Image, error) {
	text, err := []byte(b.Text), error(nil)
	if b.Text == "" {
		text, err = os.ReadFile(filepath.Join(b.Context, b.Dockerfile))
	}
	if err != nil {
		return spec.Image{}, err
	}
	progress(spec.Step{ID: "1", Name: "[1/1] FROM"})
	for i, line := range strings.Split(string(text), "\n") {
		if strings.Contains(line, "exit 7") {
			return spec.Image{}, &fault.Error{
				Code: "image.build_failed", Message: line + " ended with 7", File: b.Project + "/" + b.Dockerfile, Line: i + 1, Next: "wr build " + b.Project,
			}
		}
	}
	image := spec.Image{Ref: b.Ref, Digest: digestOf(text)}
	return image, errors.Join(os.MkdirAll(e.dir, 0o755), os.WriteFile(e.path(b.Ref), text, 0o600))
}

// suspicious is the exit code of a process that the fake engine has a suspect for.
const suspicious = 77

// Run runs the process here.
func (e fakeEngine) Run(ctx context.Context, c spec.Container, p spec.Process, stdio spec.Stdio) (spec.Exit, error) {
	c.Mounts = slices.Concat(c.Mounts, c.Own)
	here := translate(c.Mounts)
	if len(p.Args) == 0 {
		p.Args = e.command(c.Image)
	}
	cmd := exec.CommandContext(ctx, p.Args[0])
	cmd.Args = nil
	for _, arg := range p.Args {
		cmd.Args = append(cmd.Args, here.Replace(arg))
	}
	cmd.Dir = here.Replace(p.Dir)
	cmd.Env = os.Environ()
	for _, variable := range append(append([]string{}, c.Env...), p.Env...) {
		cmd.Env = append(cmd.Env, here.Replace(variable))
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdio.In, stdio.Out, stdio.Err
	cmd.WaitDelay = time.Second
	facts, err := redirectFacts(c.Mounts, p.Env)
	if err != nil {
		return spec.Exit{}, err
	}
	cmd.Env = append(cmd.Env, facts.env...)
	began := time.Now()
	ended := make(chan struct{})
	delivered := make(chan error, 1)
	go func() { delivered <- facts.deliver(ended) }()
	err = cmd.Run()
	close(ended)
	err = errors.Join(err, <-delivered)
	if ctx.Err() != nil {
		return spec.Exit{}, context.Cause(ctx)
	}
	if exited, ok := errors.AsType[*exec.ExitError](err); ok {
		exit := spec.Exit{Code: exited.ExitCode(), Elapsed: time.Since(began)}
		if exit.Code == suspicious {
			exit.Suspect = &fault.Error{Code: "mount.foreign_uid", Message: "build belongs to 0:0", Next: "sudo chown build"}
		}
		return exit, nil
	}
	if errors.Is(err, exec.ErrNotFound) {
		return spec.Exit{Code: 127, Elapsed: time.Since(began)}, nil
	}
	return spec.Exit{Elapsed: time.Since(began)}, err
}

// command is the CMD of an image, which is its Dockerfile.
func (e fakeEngine) command(ref string) []string {
	text, _ := os.ReadFile(e.path(ref))
	var words []string
	for line := range strings.Lines(string(text)) {
		if list, ok := strings.CutPrefix(line, "CMD "); ok {
			_ = json.Unmarshal([]byte(list), &words)
		}
	}
	return words
}

// facts are what wr's pytest plugin writes, in words of this machine.
type facts struct {
	env   []string // points the plugin to a configuration for this machine
	file  string   // where it writes; "" = there is no plugin
	to    string   // where wr looks for it
	words *strings.Replacer
}

// redirectFacts lets the plugin write to a file of its own, because it speaks
// of paths on this machine and wr expects those of a container.
func redirectFacts(mounts []spec.Mount, env []string) (facts, error) {
	here := translate(mounts)
	for _, variable := range env {
		name, ok := strings.CutPrefix(variable, "WR_PYTEST=")
		if !ok {
			continue
		}
		text, err := os.ReadFile(here.Replace(name))
		if err != nil {
			return facts{}, err
		}
		var config map[string]any
		if err := json.Unmarshal([]byte(here.Replace(string(text))), &config); err != nil {
			return facts{}, err
		}
		if config["events"] == "" {
			continue
		}
		dir, err := os.MkdirTemp("", "facts")
		if err != nil {
			return facts{}, err
		}
		f := facts{file: filepath.Join(dir, "events"), to: config["events"].(string), words: untranslate(mounts)}
		config["events"] = f.file
		text, err = json.Marshal(config)
		f.env = []string{"WR_PYTEST=" + filepath.Join(dir, "config.json")}
		return f, errors.Join(err, os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600), os.WriteFile(f.file, nil, 0o600))
	}
	return facts{}, nil
}

// deliver hands the facts over as they come, told in container paths, until the
// process has ended.
func (f facts) deliver(ended <-chan struct{}) error {
	if f.file == "" {
		return nil
	}
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for done, at := false, 0; ; {
		select {
		case <-ticks.C:
		case <-ended:
			done = true
		}
		text, err := os.ReadFile(f.file)
		if err != nil {
			return err
		}
		whole := text[at:]
		if !done {
			whole = whole[:bytes.LastIndexByte(whole, '\n')+1]
		}
		if at += len(whole); len(whole) > 0 {
			err = appendTo(f.to, f.words.Replace(string(whole)))
		}
		if done || err != nil {
			return errors.Join(err, os.RemoveAll(filepath.Dir(f.file)))
		}
	}
}

func appendTo(name, text string) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}

// untranslate is the reverse of translate.
func untranslate(mounts []spec.Mount) *strings.Replacer {
	var pairs []string
	for _, mount := range slices.Backward(mounts) {
		pairs = append(pairs, mount.Source, mount.Target)
	}
	return strings.NewReplacer(pairs...)
}

// translate replaces container paths by host paths, the longest first.
func translate(mounts []spec.Mount) *strings.Replacer {
	var pairs []string
	for _, mount := range slices.Backward(mounts) { // what wr adds later lies deeper
		pairs = append(pairs, mount.Target, mount.Source)
	}
	return strings.NewReplacer(pairs...)
}
