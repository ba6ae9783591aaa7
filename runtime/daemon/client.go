package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// Client talks to a running engine. It holds no connection: each call makes
// its own. It is safe for concurrent use.
type Client struct {
	socket string
}

// The interfaces by which host knows a Client.
var (
	_ spec.Runner = (*Client)(nil)
	_ spec.Images = (*Client)(nil)
)

// Dial returns a client of the engine of dirs, which must run: engine.Up
// starts it.
func Dial(ctx context.Context, dirs engine.Dirs) (*Client, error) {
	if err := dirs.Trust(os.Geteuid()); err != nil {
		return nil, err
	}
	c := &Client{socket: dirs.APISocket()}
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	_ = conn.Close()
	return c, context.Cause(ctx)
}

// Lookup implements spec.Images.
func (c *Client) Lookup(ctx context.Context, ref string) (spec.Image, bool, error) {
	r, err := c.ask(ctx, request{Operation: opLookup, Ref: ref})
	if err != nil || r.Images == nil || len(*r.Images) == 0 {
		return spec.Image{}, false, err
	}
	return (*r.Images)[0], true, nil
}

// Images returns all images of the local store, sorted by reference.
func (c *Client) Images(ctx context.Context) ([]spec.Image, error) {
	r, err := c.ask(ctx, request{Operation: opImages})
	if err != nil || r.Images == nil {
		return nil, err
	}
	return *r.Images, nil
}

// Containers returns the containers of all users that are in use or kept, and
// what runs in those that are kept.
func (c *Client) Containers(ctx context.Context) ([]Container, error) {
	r, err := c.ask(ctx, request{Operation: opList})
	if err != nil || r.Containers == nil {
		return nil, err
	}
	return *r.Containers, nil
}

// Remove removes a container, also one that is kept or in use.
func (c *Client) Remove(ctx context.Context, id string) error {
	_, err := c.ask(ctx, request{Operation: opRemove, ID: id})
	return err
}

// Status says how the engine is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	r, err := c.ask(ctx, request{Operation: opStatus})
	if err != nil || r.Status == nil {
		return Status{}, err
	}
	return *r.Status, nil
}

// Stop ends the engine and returns when its process has ended. While it runs
// containers or builds it refuses, unless force is set: then they end too.
func (c *Client) Stop(ctx context.Context, force bool) error {
	conn, err := c.open(request{Operation: opStop, Force: force})
	if err != nil {
		return err
	}
	defer conn.Close()
	defer hangUp(ctx, conn)()
	if _, err := receive(ctx, conn); err != nil {
		return err
	}
	var none reply
	files, _ := conn.Receive(&none) // the end of the connection, which is good news
	wire.CloseAll(files)
	return context.Cause(ctx)
}

// ask makes one request that has one reply.
func (c *Client) ask(ctx context.Context, r request) (reply, error) {
	conn, err := c.open(r)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	defer hangUp(ctx, conn)()
	return receive(ctx, conn)
}

// open connects and sends the request.
func (c *Client) open(r request) (*wire.Conn, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	r.Protocol = Protocol
	if err := conn.Send(r); err != nil {
		_ = conn.Close()
		return nil, lost(err)
	}
	return conn, nil
}

// dial connects to the engine's socket.
func (c *Client) dial() (*wire.Conn, error) {
	conn, err := wire.Dial(c.socket)
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, fs.ErrPermission):
		return nil, &fault.Error{
			Code: "engine.denied", Message: "you may not use the engine at " + c.socket,
			Next: "run with sudo, or let your group in: sudo wr engine up --group GROUP", Err: err,
		}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, &fault.Error{
			Code: "engine.down", Message: "no engine runs at " + c.socket,
			Next: "wr engine up", Err: err,
		}
	default:
		return nil, fmt.Errorf("connect to the engine: %w", err)
	}
}

// receive reads one reply that comes without files. A fault is an error.
func receive(ctx context.Context, conn *wire.Conn) (reply, error) {
	var r reply
	files, err := conn.Receive(&r)
	wire.CloseAll(files)
	switch {
	case err != nil && ctx.Err() != nil:
		return reply{}, context.Cause(ctx)
	case err != nil:
		return reply{}, lost(err)
	case r.Fault != nil:
		return reply{}, r.Fault
	}
	return r, nil
}

// hangUp makes reads of conn fail once ctx has ended, until the returned
// function is called.
func hangUp(ctx context.Context, conn *wire.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.Unix().SetReadDeadline(time.Unix(1, 0)) })
}

// lost is an engine that ended in the middle of a conversation.
func lost(err error) error {
	return &fault.Error{
		Code: "engine.lost", Message: fmt.Sprintf("the engine ended before it answered: %v", err),
		Next: "run the command again; wr engine status names the engine's log", Err: err,
	}
}

// Close lets go of the client. It holds nothing yet; call it all the same.
func (c *Client) Close() error { return nil }
