package hook_test

import (
	"strings"
	"testing"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestAPluginChecksWhatItSees(t *testing.T) {
	p := newBench(t).plugin(t)
	for name, lie := range map[string]bool{
		"before test": false, "file ": false, "file b/c.py": false, "severity info": false,
		"file ../b.py": true, "file /etc/passwd": true, "file b/": true, "severity fatal": true, "severity ": true,
	} {
		found, err := p.Check(t.Context(), abi.CheckParams{Work: abi.Work{Project: "."}, Hook: name})
		switch {
		case lie && (!fault.HasCode(err, hook.CodeProtocol) || !strings.Contains(err.Error(), "plugin guest: it says something of")):
			t.Errorf("%q: got %v, %v", name, found, err)
		case !lie && (err != nil || len(found) != 1 || found[0].Message != "wrong"):
			t.Errorf("%q: got %v, %v", name, found, err)
		}
	}
}
