package event

// Coverage is what the tests of a run have covered, all containers together.
type Coverage struct {
	Covered

	Minimum  float64           `json:"minimum,omitempty"`  // percent of lines that were asked for
	Page     string            `json:"page,omitempty"`     // workspace path of the first of its pages; "" = there is none
	Projects []ProjectCoverage `json:"projects,omitempty"` // of their files
	Missing  []Unmeasured      `json:"missing,omitempty"`  // what is not in it
	Notes    []string          `json:"notes,omitempty"`    // what coverage.py warned of
}

// Covered counts statements and branches.
type Covered struct {
	Files           int `json:"files"`
	Lines           int `json:"lines"` // that could have run
	CoveredLines    int `json:"coveredLines"`
	Branches        int `json:"branches"`
	CoveredBranches int `json:"coveredBranches"`
}

// ProjectCoverage is Covered of the files below a project that was tested, and
// below no other such one.
type ProjectCoverage struct {
	Project string `json:"project"` // path; "" = of all that lies elsewhere

	Covered
}

// Unmeasured is a unit of which coverage lacks something.
type Unmeasured struct {
	Unit   string `json:"unit"` // as Unit says it
	Reason string `json:"reason"`
	Partly bool   `json:"partly,omitempty"` // something of it is there
}
