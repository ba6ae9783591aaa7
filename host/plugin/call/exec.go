package call

import (
	"context"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/sdk/go/abi"
)

// exec runs a granted program in the container of the request's project, or in
// that of another one if that is granted by name.
func (f *Functions) exec(ctx context.Context, p abi.ExecParams) (abi.ExecResult, error) {
	if len(p.Argv) == 0 || p.Argv[0] == "" {
		return abi.ExecResult{}, invalid("argv has no program")
	}
	if p.Cwd != "" && !filepath.IsLocal(p.Cwd) {
		return abi.ExecResult{}, invalid("cwd " + p.Cwd + " is not below the workspace's root")
	}
	if p.Timeout < 0 {
		return abi.ExecResult{}, invalid("timeout is less than nothing")
	}
	program := p.Argv[0]
	if p.Project == "" || p.Project == f.Project {
		p.Project = f.Project
	} else {
		program += "@" + p.Project
	}
	if err := allow(f.Grants, abi.CapExec, program); err != nil {
		return abi.ExecResult{}, err
	}
	if f.Exec == nil {
		return abi.ExecResult{}, nothing("a container")
	}
	if f.Ready != nil {
		if err := f.Ready(ctx, p.Project); err != nil {
			return abi.ExecResult{}, err
		}
	}
	return f.timed(ctx, p)
}

// timed is Exec with an end to it.
func (f *Functions) timed(ctx context.Context, p abi.ExecParams) (abi.ExecResult, error) {
	if p.Timeout > 0 {
		var cancel context.CancelFunc
		most := min(p.Timeout, maxTimeout)
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(most)*time.Millisecond, limit("%s took longer than %d ms", p.Argv[0], most))
		defer cancel()
	}
	result, err := f.Exec(ctx, p)
	if err != nil && ctx.Err() != nil {
		return abi.ExecResult{}, context.Cause(ctx)
	}
	return cut(result), err
}

// maxTimeout is the longest timeout, in milliseconds: a day.
const maxTimeout = 24 * 60 * 60 * 1000

// MaxStream is how many bytes one of a process's streams has at most in a message,
// as JSON: both together have to fit into one.
const MaxStream = 3 << 20

// cut takes off what would not fit into a message.
func cut(r abi.ExecResult) abi.ExecResult {
	out, errs := fitting(r.Stdout), fitting(r.Stderr)
	r.Truncated = r.Truncated || len(out) < len(r.Stdout) || len(errs) < len(r.Stderr)
	r.Stdout, r.Stderr = out, errs
	return r
}

// fitting is as much of a text as MaxStream bytes of JSON hold.
func fitting(text string) string {
	size := 0
	for at, r := range text {
		if size += encoded(r); size > MaxStream {
			return text[:at]
		}
	}
	return text
}

// encoded is how many bytes a character has in JSON, at most.
func encoded(r rune) int {
	switch r {
	case '<', '>', '&', '\u2028', '\u2029', utf8.RuneError:
		return 6
	case '"', '\\', '\n', '\r', '\t':
		return 2
	}
	if r < ' ' {
		return 6
	}
	return utf8.RuneLen(r)
}

// git are the facts of the repository.
func (f *Functions) git(ctx context.Context, _ abi.Empty) (abi.GitResult, error) {
	if err := allow(f.Grants, abi.CapGit, ""); err != nil {
		return abi.GitResult{}, err
	}
	if f.Git == nil {
		return abi.GitResult{}, nothing("git")
	}
	return f.Git(ctx)
}

// hash are the hashes of files that the plugin may read: it needs no further grant.
func (f *Functions) hash(ctx context.Context, p abi.HashParams) (abi.HashResult, error) {
	if f.Hash == nil {
		return abi.HashResult{}, nothing("the workspace")
	}
	for _, glob := range p.Globs {
		if err := scope.Check(glob); err != nil {
			return abi.HashResult{}, invalid(err.Error())
		}
	}
	files, err := f.Hash(ctx, p.Globs)
	if err == nil && files == nil {
		files = map[string]string{}
	}
	return abi.HashResult{Files: files}, err
}
