// Package helper provides the programs that wr runs beside itself: the shim
// and runc, which start containers, the agent, which is the first process in
// each, and the process that runs a plugin. A build made by make carries them compressed; what a build does not
// carry is looked up on PATH.
package helper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Source says where a helper comes from.
type Source string

// The sources.
const (
	Embedded Source = "embedded" // out of this build of wr
	Path     Source = "path"     // an installed program
	Missing  Source = "missing"
)

// Helper is one program.
type Helper struct {
	Name   string `json:"name"`
	Path   string `json:"path,omitempty"` // absolute; "" when it is missing
	Source Source `json:"source"`
}

// Set is all helpers.
type Set struct {
	Shim, Agent, Runc Helper
}

// kind is what is known about a helper beforehand.
type kind struct {
	name    string
	version []string // arguments that print the version
	before  string   // what stands before the version in the output
	oldest  string   // MAJOR.MINOR that an installed one must have, if any
	next    string   // what to do when it is missing
}

// kinds returns the helpers of a Set, in its order.
func kinds() [3]kind {
	build := "build wr with make build, which puts it inside"
	return [3]kind{
		// Debian 12's shim, of containerd 1.6, does not understand a newer engine.
		{"containerd-shim-runc-v2", []string{"-v"}, "Version:", "1.7", build},
		{"wr-agent", []string{"version"}, "wr-agent", "", build},
		{"runc", []string{"--version"}, "runc version", "", "apt-get install runc"},
	}
}

// All returns the helpers in the order shim, agent, runc.
func (s Set) All() []Helper { return []Helper{s.Shim, s.Agent, s.Runc} }

// Require fails with a fault for each helper that is missing or too old.
func (s Set) Require(ctx context.Context) error {
	var problems []error
	for i, h := range s.All() {
		if err := kinds()[i].require(ctx, h); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// answerTime is how long a helper may take to tell its version.
const answerTime = 5 * time.Second

// Version asks the helper for its version, which costs a process and, when that
// hangs, a bounded time.
func (h Helper) Version(ctx context.Context) (string, error) {
	for _, k := range kinds() {
		if k.name == h.Name {
			return k.ask(ctx, h.Path, answerTime)
		}
	}
	return "", fmt.Errorf("no helper is called %q", h.Name)
}

// require says why h cannot be used, or nil.
func (k kind) require(ctx context.Context, h Helper) error {
	if h.Source == Missing || h.Path == "" {
		return &fault.Error{
			Code:    "helper.missing",
			Message: k.name + " is neither in this build of wr nor installed",
			Next:    k.next,
		}
	}
	if h.Source == Embedded || k.oldest == "" {
		return nil
	}
	version, err := k.ask(ctx, h.Path, answerTime)
	if err != nil || older(version, k.oldest) {
		return &fault.Error{
			Code:    "helper.too_old",
			Message: fmt.Sprintf("%s is version %s, %s or newer is needed", h.Path, version, k.oldest),
			Next:    k.next,
			Err:     err,
		}
	}
	return nil
}

// ask runs the program at path, for limit at most, and picks the version out of
// what it prints.
func (k kind) ask(ctx context.Context, path string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %v", limit))
	defer cancel()
	command := exec.CommandContext(ctx, path, k.version...)
	command.WaitDelay = limit / 10 // A child of it may hold its output open.
	out, err := command.Output()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "unknown", fmt.Errorf("version of %s: %w", path, err)
	}
	for line := range bytes.Lines(out) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(string(line)), k.before); ok {
			return strings.TrimSuffix(strings.TrimSpace(version), "+unknown"), nil
		}
	}
	return "unknown", fmt.Errorf("version of %s: cannot read %q", path, out)
}

// older compares MAJOR.MINOR of two versions.
func older(version, than string) bool {
	var major, minor, wantMajor, wantMinor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return true
	}
	_, _ = fmt.Sscanf(than, "%d.%d", &wantMajor, &wantMinor)
	return major < wantMajor || major == wantMajor && minor < wantMinor
}
