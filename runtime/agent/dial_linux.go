package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

// dialTime bounds a connection to the container's own loopback.
const dialTime = 5 * time.Second

// dial connects to a port of the loopback that this process sees and hands the
// socket over.
func dial(conn *wire.Conn, port int) error {
	ctx, cancel := context.WithTimeout(context.Background(), dialTime) //nolint:forbidigo // an agent has no context above
	defer cancel()
	var dialer net.Dialer
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.ECONNREFUSED) {
		c, err = dialer.DialContext(ctx, "tcp", net.JoinHostPort("::1", strconv.Itoa(port)))
	}
	if err != nil {
		code := "port.unreachable"
		if errors.Is(err, syscall.ECONNREFUSED) {
			code = PortClosed
		}
		return &fault.Error{Code: code, Message: err.Error(), Next: "see whether a server in the container listens on that port, on its loopback or on all addresses"}
	}
	defer c.Close()
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return errors.New("not a TCP connection")
	}
	f, err := tcp.File()
	if err != nil {
		return err
	}
	defer f.Close()
	return conn.Send(Reply{}, []*os.File{f}...)
}
