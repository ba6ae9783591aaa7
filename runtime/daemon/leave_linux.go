package daemon

import (
	"context"

	"github.com/wr-build/wr/runtime/wire"
)

// leave is finish for a client whose process may run on. The container stays in
// use until no command runs in it any more: the agent knows, also when this
// client was killed before it had started anything.
func (u *use) leave(ctx context.Context, conn *wire.Conn) error {
	s := u.server
	s.clients.Go(func() {
		defer s.leave(u)
		s.awaitFormerUsers(ctx, u.warm)
	})
	return send(conn, reply{Removed: &removed{}})
}
