package daemon

import (
	"context"
	"time"

	"github.com/wr-build/wr/runtime/container"
)

// Usage is what a container uses at one moment.
type Usage struct {
	Container
	container.Usage
	At time.Time `json:"at"`
}

// Usage returns what the containers of all users use that are in use or kept.
func (c *Client) Usage(ctx context.Context) ([]Usage, error) {
	r, err := c.ask(ctx, request{Operation: opUsage})
	if err != nil || r.Usage == nil {
		return nil, err
	}
	return *r.Usage, nil
}
