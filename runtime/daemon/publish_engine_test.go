//go:build linux && engine

package daemon

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAPublishedPortReachesTheContainersLoopback(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	for _, role := range []spec.Role{spec.RoleFresh, spec.RoleDev} {
		p := sh("while nc -l -p 7000 -e cat; do :; done & echo up; cat")
		p.Ports = []spec.Port{{Address: freeAddress(t), Container: 7000}, {Address: freeAddress(t), Container: 7001}}
		said, out := pipe(t)
		in, release := pipe(t)
		ended := make(chan error, 1)
		go func() {
			_, err := f.Run(context.Background(), as(role), p, spec.Stdio{In: in, Out: out})
			ended <- err
		}()
		if n, err := said.Read(make([]byte, 8)); n != 3 {
			t.Fatalf("the process said %d bytes, %v", n, err)
		}
		f.eventually("the server answers", func() bool {
			got, err := echoed(p.Ports[0].Address, "hello")
			return err == nil && got == "hello"
		})
		if got, err := echoed(p.Ports[1].Address, "x"); got != "" {
			t.Errorf("nobody listens inside and yet: %q, %v", got, err)
		}
		release.Close()
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", role, err)
		}
		if c, err := net.Dial("tcp", p.Ports[0].Address); err == nil {
			c.Close()
			t.Errorf("%s: the port is open after the end", role)
		}
		f.stopAll()
	}
}

// echoed sends text, ends its half and returns what comes back.
func echoed(address, text string) (string, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := fmt.Fprint(c, text); err != nil {
		return "", err
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	back, err := io.ReadAll(c)
	return string(back), err
}

func TestAPortThatIsTakenIsNamedBeforeAnythingRuns(t *testing.T) {
	f := start(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := sh("true")
	p.Ports = []spec.Port{{Address: l.Addr().String(), Container: 80}}
	if _, err := f.Run(t.Context(), box(), p, spec.Stdio{}); !fault.HasCode(err, "port.taken") {
		t.Errorf("got %v", err)
	}
}
