package config

import (
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"

	"github.com/wr-build/wr/runtime/spec"
)

// Port is a TCP port of a container and where it is reached on this machine,
// written as [ADDRESS:][PORT:]PORT.
type Port spec.Port

// ParsePort reads PORT, HOST:CONTAINER or ADDRESS:HOST:CONTAINER. Without an
// address it is this machine's loopback.
func ParsePort(text string) (Port, bool) {
	front, last := text, text // one number is both
	if i := strings.LastIndexByte(text, ':'); i >= 0 {
		front, last = text[:i], text[i+1:]
	}
	inside, err := strconv.ParseUint(last, 10, 16)
	if err != nil || inside == 0 {
		return Port{}, false
	}
	address, host := "127.0.0.1", front
	if i := strings.LastIndexByte(front, ':'); i >= 0 {
		address, host = strings.Trim(front[:i], "[]"), front[i+1:]
	}
	if _, err := strconv.ParseUint(host, 10, 16); err != nil || net.ParseIP(address) == nil {
		return Port{}, false
	}
	return Port{Address: net.JoinHostPort(address, host), Container: int(inside)}, true
}

func (*Port) forms() []reflect.Type { return []reflect.Type{textForm} }

func (p *Port) read(form any) error {
	port, ok := ParsePort(form.(string))
	if !ok {
		return fmt.Errorf("%q is no port such as 8080, 8080:80 or 0.0.0.0:8080:80", form)
	}
	*p = port
	return nil
}

func (p *Port) plain() any { return p.Address + ":" + strconv.Itoa(p.Container) }
