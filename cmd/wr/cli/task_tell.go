package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wr-build/wr/host/edit"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// taskReport is how a task went in one project, as --json has it.
type taskReport struct {
	Task    string `json:"task"`
	Plugin  string `json:"plugin,omitempty"`
	Project string `json:"project"`
	abi.TaskResult
	Written []string      `json:"written,omitempty"` // workspace paths of files that are others now
	Cached  bool          `json:"cached,omitempty"`  // it was asked before, and nothing changed
	Elapsed time.Duration `json:"elapsed"`           // nanoseconds
	Fault   *fault.Error  `json:"fault,omitempty"`   // why it could not be done
}

// apply writes what the task has made: files, and edits if all is well. Nothing is
// written where a part of it is not granted.
func (t *tasking) apply(c *calling) {
	if c.Fault != nil {
		return
	}
	changes := changesOf(c.done)
	for _, file := range slices.Sorted(maps.Keys(changes)) {
		if err := mayWrite(c.plugin, file); err != nil {
			c.Fault = err
			return
		}
	}
	if len(changes) == 0 {
		return
	}
	written, err := t.write(changes)
	c.Written = written
	if err != nil {
		c.Fault = notWritten(c.Plugin, err)
	}
}

// changesOf are the changes that a task asks for. What it wrote as a whole goes before
// edits of the same file.
func changesOf(d hook.Done) map[string]edit.Change {
	changes := map[string]edit.Change{}
	if d.Exit == 0 {
		for _, e := range d.Edits {
			c := changes[e.File]
			changes[e.File] = edit.Change{Was: d.Seen[e.File], Edits: append(c.Edits, e)}
		}
	}
	for file, content := range d.Out {
		changes[file] = edit.Change{Content: content}
	}
	return changes
}

// mayWrite is why a plugin may not write a file.
func mayWrite(one installation, file string) *fault.Error {
	denied := one.plugin.Grant.Allow(abi.Capability{Name: abi.CapOut, Value: file})
	if denied == nil {
		return nil
	}
	f := &fault.Error{
		Code: hook.CodeDenied, Message: fmt.Sprintf("plugin %s wants to write %s, which it is not granted; nothing was written", one.name(), file),
		Details: denied.Reason, Next: denied.Grant,
	}
	if capability.Reserved(file) {
		f.Message = fmt.Sprintf("plugin %s wants to write %s, which is git's or wr's own; nothing was written", one.name(), file)
		f.Details, f.Next = "", "tell its author"
	}
	return f
}

func (t *tasking) write(changes map[string]edit.Change) (written []string, err error) {
	caller, err := t.caller(t.ws)
	if err != nil {
		return nil, err
	}
	root, err := state.Root(t.ws.Root, caller)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return edit.Write(root, changes)
}

func notWritten(plugin string, err error) *fault.Error {
	if full := fault.Disk(err, ""); full != nil {
		return full
	}
	f := &fault.Error{Code: "task.not_written", Message: fmt.Sprintf("what plugin %s has made was not written: %v", plugin, err), Err: err, Next: "look what is there"}
	if errors.Is(err, edit.ErrChanged) {
		f.Next = "run it again"
	}
	return f
}

// tell says how it went, and ends wr with the code of that.
func (t *tasking) tell() error {
	if err := t.print(); err != nil {
		return err
	}
	code := 0
	for _, c := range t.calls {
		one := c.Exit
		if c.Fault != nil {
			one = t.exitCode(c.Fault)
		}
		code = max(code, one)
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}

func (t *tasking) print() error {
	if t.JSON {
		return t.printJSON(t.reports())
	}
	for _, c := range t.calls {
		if err := t.printOne(c); err != nil {
			return err
		}
	}
	return nil
}

// printOne prints how it went in one project: results on stdout, all else on stderr.
func (t *tasking) printOne(c *calling) error {
	if len(t.calls) > 1 && (c.Output != "" || len(c.Diagnostics) > 0) {
		fmt.Fprintf(t.Out, "%s:\n", c.Project)
	}
	view := t.findings(t.ws.Root, linesBelow(t.ws.Root))
	found := &report.Lint{Linters: []report.Linted{{Linter: c.Task, Project: c.Project, Diagnostics: c.Diagnostics}}}
	err := errors.Join(view.Output(t.Out, c.Output), view.Findings(t.Out, found))
	if err == nil && view.GitHub {
		err = ui.LintAnnotations(t.Out, found, t.inRepository(t.ws.Root))
	}
	for _, file := range c.Written {
		if !t.Quiet {
			fmt.Fprintf(t.Err, "wrote %s\n", file)
		}
	}
	if c.Fault != nil {
		t.report(c.Fault)
	}
	return err
}

func (t *tasking) reports() []taskReport {
	all := []taskReport{}
	for _, c := range t.calls {
		all = append(all, c.taskReport)
	}
	return all
}
