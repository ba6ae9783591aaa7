package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// hooksCmd is `wr hooks`.
type hooksCmd struct {
	Install   hooksInstallCmd   `cmd:"" help:"Have git commit run wr lint --staged first."`
	Uninstall hooksUninstallCmd `cmd:"" help:"Remove that hook."`
}

type hooksInstallCmd struct{}

// Help is the long form.
func (hooksInstallCmd) Help() string {
	return "It writes the hook pre-commit where git looks for it, core.hooksPath included. A hook that is there already is left as it is, and the line to add to it is told. What is looked at are the files that are staged, as they are in the work tree. git commit --no-verify goes without."
}

type hooksUninstallCmd struct{}

// hookMark is the line by which wr knows its own hook.
const hookMark = "# Made by wr hooks install; wr hooks uninstall removes it."

// preCommit is the hook that wr writes.
const preCommit = "pre-commit"

// hook is the pre-commit hook of the repository that a workspace is in.
type hook struct {
	*app
	ws   *workspace.Workspace
	dir  string // host path of the directory of hooks
	line string // what it runs
}

// hook finds the hook that there is, or is to be.
func (a *app) hook(ctx context.Context) (*hook, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, err
	}
	repo, err := vcs.Open(ctx, ws.Root)
	if err != nil {
		return nil, err
	}
	at, err := repo.Hooks(ctx)
	if err != nil {
		return nil, err
	}
	top, err := filepath.EvalSymlinks(at.Top)
	if err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(top, ws.Root)
	if err != nil {
		return nil, err
	}
	h := &hook{app: a, ws: ws, dir: at.Dir, line: "wr -C " + quoted(filepath.ToSlash(rel)) + " lint --staged --recursive"}
	if at.Shared {
		return nil, &fault.Error{
			Code: "hooks.shared", Class: fault.Usage, Message: "git looks for hooks in " + at.Dir + ", which other repositories have too (core.hooksPath)",
			Next: "git config --local core.hooksPath .git/hooks, or add to the hook there: " + h.line,
		}
	}
	return h, nil
}

// quoted is text as one word of sh.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// text is the hook.
func (h *hook) text() string {
	return "#!/bin/sh\n" + hookMark + "\n" +
		"command -v wr >/dev/null || { echo 'pre-commit: wr is not on PATH; git commit --no-verify goes without it' >&2; exit 1; }\n" +
		"exec " + h.line + "\n"
}

func (h *hook) path() string { return filepath.Join(h.dir, preCommit) }

// present is the hook that is there; own says that it is wr's. Without one it is nil.
func (h *hook) present() (text []byte, own bool, err error) {
	text, err = os.ReadFile(h.path())
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(h.path()); err == nil {
			return []byte("a link to nothing"), false, nil
		}
		return nil, false, nil
	}
	return text, bytes.Contains(text, []byte(hookMark)), err
}

// Prepare finds out whether a hook can be written.
func (hooksInstallCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	h, err := a.hook(ctx)
	if err != nil {
		return deed{}, err
	}
	there, own, err := h.present()
	if err != nil {
		return deed{}, err
	}
	if there != nil && !own {
		return deed{}, &fault.Error{
			Code: "hooks.taken", Class: fault.Usage, Message: "there is a hook already: " + h.path(),
			Next: "add this line to it: " + h.line,
		}
	}
	return deed{show: a.would("write", h.path()), do: func() error { return errors.Join(h.write(), h.say("wrote")) }}, nil
}

// write writes the hook, whole or not at all.
func (h *hook) write() error {
	caller, err := h.caller(h.ws)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	dir, err := state.Root(h.dir, caller)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Replace(preCommit, func(f *os.File) error {
		_, err := f.WriteString(h.text())
		return errors.Join(err, f.Chmod(0o755))
	})
}

// Prepare finds the hook to remove.
func (hooksUninstallCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	h, err := a.hook(ctx)
	if err != nil {
		return deed{}, err
	}
	there, own, err := h.present()
	switch {
	case err != nil:
		return deed{}, err
	case there == nil:
		return a.text("there is no hook\n"), nil
	case !own:
		return deed{}, &fault.Error{
			Code: "hooks.not_ours", Class: fault.Usage, Message: "wr has not made the hook " + h.path(), Next: "take out what you have added: " + h.line,
		}
	}
	return deed{show: a.would("remove", h.path()), do: func() error { return errors.Join(os.Remove(h.path()), h.say("removed")) }}, nil
}

// say says what was done.
func (h *hook) say(done string) error {
	if h.JSON {
		return h.printJSON(map[string]string{done: h.path()})
	}
	_, err := fmt.Fprintln(h.Out, done, h.path())
	return err
}
