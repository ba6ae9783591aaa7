package ui

import (
	"bytes"
	"strings"
	"testing"
)

func TestTheResultOfAPluginIsShownAndNotObeyed(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a\n", "a\tb\n": "a\tb\n", "a\n\n": "a\n\n", "\x1b[2Jx\r\n": "[2Jx\n"} {
		var b bytes.Buffer
		if err := (Style{}).Output(&b, text); err != nil || b.String() != want {
			t.Errorf("%q: got %q, %v", text, b.String(), err)
		}
	}
	var b bytes.Buffer
	if err := (Style{GitHub: true}).Output(&b, "::error::x"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	token, stopped := strings.CutPrefix(lines[0], "::stop-commands::")
	if !stopped || lines[1] != "::error::x" || lines[2] != "::"+token+"::" || len(lines) != 4 {
		t.Errorf("got %q", lines)
	}
}
