package cli

import (
	"slices"
	"time"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// attemptFlags say how long a case may take, how many times it runs, and in
// which order.
type attemptFlags struct {
	CaseTimeout *config.Duration `name:"case-timeout" placeholder:"TIME" help:"How long one case may take, such as 30s: it fails then, with the stacks of its threads, and the others go on; 0: no limit."`
	Reruns      *int             `name:"reruns" placeholder:"N" help:"Run what fails again, up to N times, in a process of its own."`
	Repeat      int              `name:"repeat" placeholder:"N" help:"Run each case N times, each time in a new process; the worst outcome counts."`
	Shuffle     string           `name:"shuffle" placeholder:"SEED" help:"Run modules, classes in them and cases in those in the order of a seed, which may be any word; auto: of a new one."`
	FailOnFlaky bool             `name:"fail-on-flaky" help:"Exit with 1 when a case has passed only after it had failed."`
}

// check refuses what makes no sense; rest are pytest's own arguments.
func (f attemptFlags) check(rest []string) error {
	var message string
	stepwise := slices.IndexFunc(rest, func(arg string) bool { return slices.Contains(plan.Stepwise, arg) })
	switch {
	case f.CaseTimeout != nil && *f.CaseTimeout < 0:
		message = "--case-timeout is a time from now on, and no negative one"
	case f.Reruns != nil && *f.Reruns < 0, f.Repeat < 0:
		message = "--reruns and --repeat are numbers of times"
	case f.Repeat > 1 && f.Reruns != nil && *f.Reruns > 0:
		message = "--repeat runs each case that often whatever comes of it, so nothing is left for --reruns"
	case stepwise >= 0 && f.again():
		message = rest[stepwise] + " has pytest stop at a failure and go on from there the next time, so --reruns and --repeat run nothing again"
	default:
		return nil
	}
	return &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: message, Next: "wr test --help"}
}

// again reports whether cases are to run more than once.
func (f attemptFlags) again() bool { return f.Repeat > 1 || f.Reruns != nil && *f.Reruns > 0 }

// cases is what holds for each case, whatever its suite says.
func (f attemptFlags) cases() plan.CaseLimits {
	return plan.CaseLimits{Timeout: (*time.Duration)(f.CaseTimeout), Reruns: f.Reruns}
}

// autoShuffle asks for a seed that nobody has thought of.
const autoShuffle = "auto"

// repetition is how many times, and in which order, cases run.
func (f attemptFlags) repetition() plan.Repetition {
	seed := f.Shuffle
	if seed == autoShuffle {
		seed = state.Random(4)
	}
	return plan.Repetition{Repeat: f.Repeat, Shuffle: seed}
}
