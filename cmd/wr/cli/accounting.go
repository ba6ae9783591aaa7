package cli

import (
	"errors"
	"time"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/account"
)

// watch has the plugin of that name watched: what it does is written down, and shown
// where it is traced.
func (q *asking) watch(one installation) hook.Watch {
	w := hook.Account(&q.book, one.name())
	if q.traced(one.name()) {
		return q.tracing.watch(w, one.plugin.Grant)
	}
	return w
}

func (q *asking) traced(name string) bool { return q.tracing != nil && q.tracing.plugin == name }

// keepAccount writes down what plugins did in this run. Why no more than a line for the
// developer if it cannot be: nothing depends on it.
func (q *asking) keepAccount() {
	uses := q.book.Uses()
	if len(uses) == 0 {
		return
	}
	if err := q.account(account.Run{Time: time.Now().UTC(), Command: q.name, Plugins: uses}); err != nil {
		q.log.Debug().Err(err).Msg("what plugins did is not kept")
	}
}

func (q *asking) account(r account.Run) error {
	own, err := q.ownState(q.ws)
	if err != nil {
		return err
	}
	return errors.Join(account.Add(own, r), own.Close())
}
