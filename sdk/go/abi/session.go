package abi

import "encoding/json"

// Initialize is the first request of a session.
type Initialize struct {
	Protocols []string        `json:"protocols"` // those the host speaks, best first
	Host      Party           `json:"host"`
	Grants    []string        `json:"grants"` // capabilities that the plugin has, as Capability.String
	Limits    Limits          `json:"limits"`
	Config    json.RawMessage `json:"config,omitempty"` // the plugin's config table, valid by its schema
}

// Initialized answers Initialize.
type Initialized struct {
	Protocol string `json:"protocol"` // one of those that were offered
	Plugin   Party  `json:"plugin"`
}

// Party is a program and its version.
type Party struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Limits are what a plugin can count with. Zero = not told.
type Limits struct {
	Memory  int64 `json:"memory"`  // bytes of linear memory
	Call    int64 `json:"call"`    // milliseconds that a request may take
	Line    int64 `json:"line"`    // bytes of a message
	Output  int64 `json:"output"`  // bytes in Output and Temp together
	Pending int64 `json:"pending"` // requests to the host that are answered at once; more have to wait
}

// Empty are the params or result of what has none: Shutdown and its answer.
type Empty struct{}

// Cancel are the params of NoteCancel.
type Cancel struct {
	ID int64 `json:"id"` // of the host's request
}

// Work is what is common to all requests of the host for a project.
type Work struct {
	Project string          `json:"project"`          // its path; "." is the root's
	Config  json.RawMessage `json:"config,omitempty"` // the config table, where that project has another
}
