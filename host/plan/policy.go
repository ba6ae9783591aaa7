package plan

import "time"

// Policy says how long a case may take and when it is run again.
type Policy struct {
	Timeout time.Duration `json:"timeout,omitempty"` // 0 = as long as it takes
	Reruns  Reruns        `json:"reruns,omitzero"`
}

// CaseLimits replace what suites say of each case. A nil one leaves it as it is.
type CaseLimits struct {
	Timeout *time.Duration
	Reruns  *int // of any kind
}

// Over returns what becomes of p.
func (l CaseLimits) Over(p Policy) Policy {
	replace(&p.Timeout, l.Timeout)
	if l.Reruns != nil {
		p.Reruns = Reruns{Any: *l.Reruns}
	}
	return p
}

// Reruns are how many times a case is run again for one kind of failure. A kind
// with a number of its own has those; Any is for all others, and what the case
// was run again for before counts against it, of whatever kind it was.
type Reruns struct {
	Timeout int `json:"timeout,omitempty"` // it took too long
	Error   int `json:"error,omitempty"`   // its setup or teardown failed, or its process died
	Any     int `json:"any,omitempty"`
}

// Repetition is how many times, and in which order, tests run.
type Repetition struct {
	Repeat  int    `json:"repeat,omitempty"`  // of each case, whatever comes of it; 0 = 1, and only failures are run again
	Shuffle string `json:"shuffle,omitempty"` // seed of the order; "" = as collected
}
