package config

import "testing"

func TestAPortIsOneNumberTwoOrTwoWithAnAddress(t *testing.T) {
	for text, want := range map[string]Port{
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
		got, ok := ParsePort(text)
		if ok != (want != Port{}) || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, ok, want)
		}
	}
}

func TestAPortIsShownInAFormThatIsRead(t *testing.T) {
	for _, text := range []string{"8080", "0:80", "0.0.0.0:8080:80", "[::1]:8080:80"} {
		port, _ := ParsePort(text)
		if again, ok := ParsePort(port.plain().(string)); !ok || again != port {
			t.Errorf("%q is shown as %q, which is %+v", text, port.plain(), again)
		}
	}
}
