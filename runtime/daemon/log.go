package daemon

import (
	"context"
	"os"

	"github.com/wr-build/wr/runtime/wire"
)

// EntrypointLog opens what the ENTRYPOINT of a container's image printed; nil
// when there was none to run, or the container is gone.
func (c *Client) EntrypointLog(ctx context.Context, id string) (*os.File, error) {
	conn, err := c.open(request{Operation: opLog, ID: id})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer hangUp(ctx, conn)()
	var r reply
	files, err := conn.Receive(&r)
	switch {
	case err == nil && r.Fault == nil && len(files) == 1:
		return files[0], nil
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = lost(err)
	case r.Fault != nil:
		err = r.Fault
	}
	wire.CloseAll(files)
	return nil, err
}
