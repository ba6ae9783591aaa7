package abi

import "encoding/json"

// ExecParams are the params of MethodExec: a process in a project's container,
// never on the host.
type ExecParams struct {
	Project string   `json:"project,omitempty"` // "" = that of the request
	Argv    []string `json:"argv"`
	Stdin   string   `json:"stdin,omitempty"`
	Cwd     string   `json:"cwd,omitempty"`     // below the root; "" = the project
	Timeout int64    `json:"timeout,omitempty"` // milliseconds; 0 = as long as the request may take
}

// ExecResult is how a process ended. Output over a limit is cut, which is said.
type ExecResult struct {
	Exit      int    `json:"exit"` // 128+signal for a signal
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	Truncated bool   `json:"truncated,omitempty"`
}

// HTTPParams are the params of MethodHTTP. Redirects are followed only to what is
// granted too.
type HTTPParams struct {
	Method string              `json:"method"`
	URL    string              `json:"url"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"` // base64
	// Secrets are put into the header by the host, so that the plugin needs not see
	// them: header name to a value with "{NAME}" for the secret of that name.
	Secrets map[string]string `json:"secrets,omitempty"`
}

// HTTPResult is a response. One over a limit is an Error with CodeLimit.
type HTTPResult struct {
	Status int                 `json:"status"`
	Header map[string][]string `json:"header,omitempty"`
	Body   []byte              `json:"body,omitempty"` // base64
}

// SecretParams are the params of MethodSecret.
type SecretParams struct {
	Name string `json:"name"`
}

// SecretResult is a secret. It must not be printed, and the host hides it where it sees it.
type SecretResult struct {
	Value string `json:"value"`
}

// GitResult is the result of MethodGit: the repository as it is now.
type GitResult struct {
	Commit  string   `json:"commit,omitempty"`  // "" before the first
	Branch  string   `json:"branch,omitempty"`  // "" where HEAD is detached
	Tags    []string `json:"tags,omitempty"`    // of Commit
	Changed []string `json:"changed,omitempty"` // not committed, or not known to git; sorted
}

// CacheParams are the params of MethodCacheGet and MethodCachePut.
type CacheParams struct {
	Key   string `json:"key"`
	Value []byte `json:"value,omitempty"` // base64; put alone
}

// CacheResult is the result of MethodCacheGet.
type CacheResult struct {
	Found bool   `json:"found"`
	Value []byte `json:"value,omitempty"` // base64
}

// HashParams are the params of MethodHash.
type HashParams struct {
	Globs []string `json:"globs"` // below the root, of files that may be read
}

// HashResult has the sha256 of each file in hexadecimal, by path.
type HashResult struct {
	Files map[string]string `json:"files"`
}

// Log are the params of NoteLog.
type Log struct {
	Level   string `json:"level"` // debug, info, warn or error
	Message string `json:"message"`
}

// Progress are the params of NoteProgress.
type Progress struct {
	Message string `json:"message,omitempty"`
	Done    int64  `json:"done,omitempty"`
	Total   int64  `json:"total,omitempty"` // 0 = not known
}

// Event are the params of NoteEvent: one line of events.ndjson as it is.
type Event struct {
	Event json.RawMessage `json:"event"`
}
