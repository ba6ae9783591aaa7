package call

import (
	"context"
	"path/filepath"

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
	return f.Exec(ctx, p)
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
	files, err := f.Hash(ctx, p.Globs)
	return abi.HashResult{Files: files}, err
}
