package daemon

import (
	"context"
	"errors"
	"io/fs"

	"github.com/wr-build/wr/runtime/wire"
)

// sendLog hands the log of a container's ENTRYPOINT to its owner.
func (s *server) sendLog(ctx context.Context, conn *wire.Conn, who peer, id string) error {
	all, err := s.containers.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.ID != id {
			continue
		}
		if err := who.mayRemove(c); err != nil {
			return err
		}
		f, err := s.containers.OpenEntrypointLog(id)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		defer f.Close()
		return send(conn, reply{Log: true}, f)
	}
	return send(conn, reply{})
}
