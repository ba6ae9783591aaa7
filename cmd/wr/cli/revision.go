package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/vcs"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// askGit is how long git may take to say in which state a workspace is. Nothing but the
// record of a run depends on it.
const askGit = 10 * time.Second

// revision is what git says of the files below root; nil = they are in no repository.
func revision(ctx context.Context, root string) *event.Revision {
	ctx, cancel := context.WithTimeoutCause(ctx, askGit, errors.New("git took longer than "+askGit.String()))
	defer cancel()
	var s vcs.State
	r, err := vcs.Open(ctx, root)
	if err == nil {
		s, err = r.State(ctx)
	}
	switch {
	case fault.HasCode(err, "vcs.no_repository"):
		return nil
	case err != nil:
		return &event.Revision{Unknown: fault.Of(err).Message}
	default:
		return &event.Revision{Commit: s.Commit, Branch: s.Branch, Dirty: s.Dirty()}
	}
}

// otherRevision warns if the files of a run that is repeated may have been others than
// those of now; nil = as far as git knows, they are the same.
func otherRevision(before, now *event.Revision) *fault.Error {
	f := &fault.Error{Code: "replay.other_revision", Message: fmt.Sprintf("that run tested %s, and the workspace is at %s now", orNone(before), orNone(now))}
	switch {
	case before == nil && now == nil:
		return nil
	case !known(before) || !known(now):
		return f
	case before.Commit != now.Commit:
		f.Next = "git checkout " + before.Commit
		return f
	case before.Dirty && now.Dirty:
		f.Message = fmt.Sprintf("both that run and the workspace now have changes over commit %s, and they may differ", now.Commit)
		return f
	case before.Dirty:
		return f
	case now.Dirty:
		f.Next = "commit the changes, or put them aside with git stash --include-untracked"
		return f
	default:
		return nil
	}
}

// known reports whether git has said what s is.
func known(s *event.Revision) bool { return s != nil && s.Unknown == "" }

// orNone is s in a few words.
func orNone(s *event.Revision) string {
	switch {
	case s == nil:
		return "no commit that is known"
	case s.Unknown != "":
		return "a commit that is not known (" + s.Unknown + ")"
	default:
		return s.Text()
	}
}
