package cli

import (
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

func TestAPortIsOneNumberTwoOrTwoWithAnAddress(t *testing.T) {
	for text, want := range map[string]spec.Port{
		"8080":               {Address: "127.0.0.1:8080", Container: 8080},
		"8080:80":            {Address: "127.0.0.1:8080", Container: 80},
		"0:80":               {Address: "127.0.0.1:0", Container: 80},
		"0.0.0.0:8080:80":    {Address: "0.0.0.0:8080", Container: 80},
		"[::1]:8080:80":      {Address: "[::1]:8080", Container: 80},
		"":                   {},
		"x":                  {},
		"0":                  {},
		"80:":                {},
		":80":                {},
		"70000":              {},
		"localhost:8080:80":  {},
		"1:2:3":              {},
		"127.0.0.1:80:80:80": {},
	} {
		got, ok := parsePort(text)
		if ok != (want != spec.Port{}) || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, ok, want)
		}
	}
}
