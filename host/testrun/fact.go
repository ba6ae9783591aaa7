package testrun

import (
	"encoding/json"
	"fmt"
	"time"
)

// fact is one line of the plugin. Which members are set follows from Type.
type fact struct {
	Number int64  `json:"n"` // 1, 2, 3, ...; a line that was torn comes again with its number
	Type   string `json:"t"`

	// session
	Version int    `json:"version"`
	Pytest  string `json:"pytest"`
	Python  string `json:"python"`
	RootDir string `json:"rootdir"` // container path
	Single  bool   `json:"single"`  // a person looks into it, or it only collects
	MaxFail int    `json:"maxfail"` // how many failures stop it; 0: none do
	Repeats string `json:"repeats"` // the active plugin that runs failures again itself

	Cases []collectedCase `json:"cases"` // collected
	Left  []collectedCase `json:"left"`  // left
	IDs   []string        `json:"ids"`   // deselected

	Elsewhere []misplacedCase `json:"elsewhere"` // elsewhere

	// which case, in start, phase and done: by number, else by id
	Case *int   `json:"c"`
	ID   string `json:"id"`
	File string `json:"file"` // relative to RootDir
	Line int    `json:"line"`

	Plain []plainPhase `json:"plain"` // phase, done: passed phases before it

	// phase
	When    string  `json:"when"`
	Outcome string  `json:"outcome"`
	Seconds float64 `json:"seconds"`
	XFail   *string `json:"xfail"` // the reason; nil: not expected to fail
	Sub     string  `json:"sub"`   // the subtest's name; "": not of a subtest
	Stdout  string  `json:"stdout"`
	Stderr  string  `json:"stderr"`
	Log     string  `json:"log"`

	// phase, collect_error, collect_skip, internal_error, warning
	Text    string `json:"text"`
	Details string `json:"details"`

	// finish
	Lines       int64    `json:"lines"` // how many there are, this one included
	Exit        *int     `json:"exit"`
	CollectOnly bool     `json:"collect_only"`
	Stopped     string   `json:"stopped"` // why it ended before the last case
	Threads     []string `json:"threads"` // that the process waits for
}

// The types of facts.
const (
	factDebugger      = "debugger" // an editor may attach
	factSession       = "session"
	factCollected     = "collected"
	factDeselected    = "deselected"
	factLeft          = "left" // of suites that are not to run
	factElsewhere     = "elsewhere"
	factCollectError  = "collect_error"
	factCollectSkip   = "collect_skip"
	factStart         = "start"
	factPhase         = "phase"
	factDone          = "done"
	factWarning       = "warning"
	factInternalError = "internal_error"
	factFinish        = "finish"
)

// collectedCase is [node id, file, line, suites].
type collectedCase struct {
	id     string
	file   string // relative to rootdir; "" is unknown
	line   int    // 1-based; 0 is unknown
	suites []int  // that it is in, by their place in the configuration
}

// UnmarshalJSON reads the array form.
func (c *collectedCase) UnmarshalJSON(data []byte) error {
	return unmarshalArray(data, &c.id, &c.file, &c.line, &c.suites)
}

// misplacedCase is [node id, file, line, container, text, suites].
type misplacedCase struct {
	id        string
	file      string
	line      int
	container string // as event.Event.Belongs; "?name": there is none of that name, "?!why": nobody can tell
	text      string // "", deselected, notAsked or lastFailed
	suites    []int  // that it is in
}

// UnmarshalJSON reads the array form.
func (c *misplacedCase) UnmarshalJSON(data []byte) error {
	return unmarshalArray(data, &c.id, &c.file, &c.line, &c.container, &c.text, &c.suites)
}

// plainPhase is [when, seconds] of a phase that passed and said nothing.
type plainPhase struct {
	when    string
	seconds float64
}

// UnmarshalJSON reads the array form.
func (p *plainPhase) UnmarshalJSON(data []byte) error {
	return unmarshalArray(data, &p.when, &p.seconds)
}

func unmarshalArray(data []byte, members ...any) error {
	n := len(members)
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if len(members) != n {
		return fmt.Errorf("array of %d members, want %d", len(members), n)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
