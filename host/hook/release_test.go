package hook_test

import (
	"testing"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestStepsOfAReleaseMakeSense(t *testing.T) {
	b := newBench(t)
	b.config.Manifest.Provides.Tasks = []abi.Task{{Name: "count"}}
	p := b.plugin(t)
	for stage, lie := range map[string]bool{
		"fine": false, "none": false,
		"twice": true, "unnamed": true, "hidden": true, "nothing": true, "both": true, "task": true, "argv": true, "undo": true,
	} {
		steps, err := p.Release(t.Context(), abi.ReleaseParams{Work: abi.Work{Project: "."}, Version: "1.0.0", Stage: stage})
		switch {
		case lie && !fault.HasCode(err, hook.CodeProtocol):
			t.Errorf("%s: got %v, %v", stage, steps, err)
		case !lie && err != nil:
			t.Errorf("%s: %v", stage, err)
		}
	}
}
