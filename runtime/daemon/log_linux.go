package daemon

import (
	"context"
	"errors"
	"io/fs"

	"github.com/wr-build/wr/runtime/wire"
)

// sendLog hands the log of a container's ENTRYPOINT to its owner.
func (s *server) sendLog(ctx context.Context, conn *wire.Conn, who peer, id string) error {
	there, err := s.owned(ctx, who, id)
	if err != nil {
		return err
	}
	if !there {
		return send(conn, reply{})
	}
	f, err := s.containers.OpenEntrypointLog(id)
	if errors.Is(err, fs.ErrNotExist) {
		return send(conn, reply{})
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return send(conn, reply{Log: true}, f)
}
