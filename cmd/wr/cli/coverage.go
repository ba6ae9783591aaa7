package cli

import (
	"fmt"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// coverageFlags say whether it is measured what tests cover.
type coverageFlags struct {
	Coverage    bool     `help:"Measure what the tests cover, all containers together; needs coverage.py in the images."`
	CoverageMin *float64 `name:"coverage-min" placeholder:"PERCENT" help:"With --coverage, which it implies: fail if fewer of the lines are covered."`
}

// measured reports whether anything is to be measured.
func (f coverageFlags) measured() bool { return f.Coverage || f.CoverageMin != nil }

// minimum is how many percent have to be covered.
func (f coverageFlags) minimum() float64 {
	if f.CoverageMin == nil {
		return 0
	}
	return *f.CoverageMin
}

// check refuses what makes no sense; collectOnly says that no test is to run.
func (f coverageFlags) check(collectOnly bool) error {
	var message string
	switch {
	case !f.measured():
		return nil
	case collectOnly:
		message = "--coverage measures tests that run, and --co runs none"
	case f.minimum() < 0 || f.minimum() > 100:
		message = fmt.Sprintf("--coverage-min is in percent: %g is not between 0 and 100", f.minimum())
	default:
		return nil
	}
	return &fault.Error{Code: "cli.usage", Class: fault.Usage, Message: message, Next: "wr test --help"}
}
