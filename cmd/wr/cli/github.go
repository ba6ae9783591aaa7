package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// tellGitHub shows r beside the code and on the page of the job, where this is one
// of GitHub's.
func (a *app) tellGitHub(r *report.Run, root string) {
	a.tellJob(
		func(w io.Writer) error { return ui.Annotations(w, r, a.inRepository(root)) },
		func(w io.Writer) error { return ui.JobSummary(w, r) },
	)
}

// tellJob has annotate write commands of GitHub's, and summarize write to the page of
// the job. What cannot be shown there is said and fails nothing: it is recorded all
// the same.
func (a *app) tellJob(annotate, summarize func(io.Writer) error) {
	if !a.style(a.Out).GitHub {
		return
	}
	var commands io.Writer = a.Out
	if a.JSON {
		commands = a.Err // GitHub reads both, and stdout is for programs
	}
	if err := errors.Join(annotate(commands), a.appendJobSummary(summarize)); err != nil {
		fmt.Fprint(a.Err, a.style(a.Err).Warning(&fault.Error{Code: "github.not_told", Message: err.Error(), Err: err}))
	}
}

// inRepository is the path from the repository that GitHub has checked out to
// root; "" = it is the same, or elsewhere.
func (a *app) inRepository(root string) string {
	repository, err := filepath.EvalSymlinks(a.Getenv("GITHUB_WORKSPACE"))
	below := relative(root, repository)
	if err != nil || filepath.IsAbs(below) || below == "." {
		return ""
	}
	return filepath.ToSlash(below)
}

func (a *app) appendJobSummary(write func(io.Writer) error) error {
	path := a.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
