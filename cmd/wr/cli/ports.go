package cli

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Ports are the flag -p.
type Ports struct {
	Publish []string `short:"p" sep:"none" placeholder:"[ADDRESS:][PORT:]PORT" help:"Make a port of the container's loopback reachable at this machine's; PORT is the same on both sides, HOST:CONTAINER are two."`
}

// ports reads the flag. Without an address it is this machine's loopback.
func (p Ports) ports() ([]spec.Port, error) {
	var all []spec.Port
	for _, text := range p.Publish {
		port, ok := parsePort(text)
		if !ok {
			return nil, &fault.Error{
				Code: "exec.bad_port", Class: fault.Usage, Message: fmt.Sprintf("-p %s is no port", text), Next: "-p 8080, -p 8080:80 or -p 0.0.0.0:8080:80",
			}
		}
		all = append(all, port)
	}
	return all, nil
}

// parsePort reads PORT, HOST:CONTAINER or ADDRESS:HOST:CONTAINER.
func parsePort(text string) (spec.Port, bool) {
	front, last := text, text // one number is both
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		front, last = text[:i], text[i+1:]
	}
	inside, err := strconv.ParseUint(last, 10, 16)
	if err != nil || inside == 0 {
		return spec.Port{}, false
	}
	address, host := "127.0.0.1", front
	if i := strings.LastIndexByte(front, ':'); i >= 0 {
		address, host = strings.Trim(front[:i], "[]"), front[i+1:]
	}
	if _, err := strconv.ParseUint(host, 10, 16); err != nil || net.ParseIP(address) == nil {
		return spec.Port{}, false
	}
	return spec.Port{Address: net.JoinHostPort(address, host), Container: int(inside)}, true
}
