package vcs

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// git runs git in r and returns what it has printed.
func (r *Repo) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", slices.Concat(r.flags, args)...)
	cmd.Dir = r.dir
	cmd.Env = r.environment()
	out, err := cmd.Output()
	if err == nil {
		return string(out), nil
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return "", &fault.Error{Code: "vcs.no_git", Message: "there is no git on PATH", Next: "install git", Err: err}
	}
	f := &fault.Error{Code: "vcs.failed", Message: "git " + args[0] + ": " + err.Error(), Err: err, Next: "run git " + args[0] + " in " + r.dir}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		said := strings.TrimSpace(string(exit.Stderr))
		if strings.HasPrefix(said, "fatal: not a git repository (or any ") {
			return "", noRepository(r.dir)
		}
		if reason, more, _ := strings.Cut(said, "\n"); reason != "" {
			f.Message, f.Details = "git "+args[0]+": "+reason, more
		}
	}
	return "", f
}

// exited reports whether err is that git exited with code.
func exited(err error, code int) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return ok && exit.ExitCode() == code
}

// local are the variables by which git would take another repository, or
// another part of its configuration, than those of the directory.
var local = []string{
	"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_DIR", "GIT_GRAFT_FILE",
	"GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE",
	"GIT_SHALLOW_FILE", "GIT_WORK_TREE",
}

// environment is that of git. Why no protocol: git fetches what a partial clone
// lacks when it needs it, by whatever program the repository names.
func (r *Repo) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(local, name)
	})
	env = append(env, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_TERMINAL_PROMPT=0")
	if r.Index != "" {
		env = append(env, "GIT_INDEX_FILE="+r.Index)
	}
	return env
}
