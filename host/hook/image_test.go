package hook_test

import (
	"testing"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestAnImageHasATextAndInputsThatCanBeWrittenDown(t *testing.T) {
	p := newBench(t).plugin(t)
	for _, tt := range []struct {
		text, input string
		lie         bool
	}{
		{"FROM a", "src/**/*.py", false},
		{"FROM a", "reqs.txt", false},
		{" \n", "a", true},
		{"FROM a", "", true},
		{"FROM a", ".", true},
		{"FROM a", "..", true},
		{"FROM a", "../b", true},
		{"FROM a", "a/../../b", true},
		{"FROM a", "/etc", true},
		{"FROM a", "!a", true},
		{"FROM a", "# a", true},
		{"FROM a", "a\n!b", true},
		{"FROM a", "{a,b}", true},
	} {
		made, err := p.Image(t.Context(), abi.ImageParams{Work: abi.Work{Project: tt.input}, Stage: tt.text})
		switch {
		case tt.lie && !fault.HasCode(err, hook.CodeProtocol):
			t.Errorf("%q, %q: got %+v, %v", tt.text, tt.input, made, err)
		case !tt.lie && (err != nil || made.Dockerfile != tt.text || len(made.Inputs) != 1):
			t.Errorf("%q, %q: got %+v, %v", tt.text, tt.input, made, err)
		}
	}
}
