package abi

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Message is one line: a request (ID and Method), a notification (Method alone)
// or a reply (ID and Result or Error). IDs are whole numbers of who asks; host
// and plugin count for themselves.
type Message struct {
	JSONRPC string          `json:"jsonrpc"` // always "2.0"
	ID      *int64          `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Draft is a Message whose params or result are values yet: they are encoded together
// with it, and so only once.
type Draft struct {
	JSONRPC string `json:"jsonrpc"`
	ID      *int64 `json:"id,omitempty"`
	Method  string `json:"method,omitempty"`
	Params  any    `json:"params,omitempty"`
	Result  any    `json:"result,omitempty"`
	Error   *Error `json:"error,omitempty"`
}

// ErrTooLong is that a message is longer than may be sent.
var ErrTooLong = fmt.Errorf("is longer than the %d bytes that may be sent", MaxLine)

// Line is the message with its newline. One of more than MaxLine bytes is ErrTooLong.
func (d Draft) Line() ([]byte, error) {
	d.JSONRPC = JSONRPC
	line, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	if line = append(line, '\n'); len(line) > MaxLine {
		return nil, fmt.Errorf("a message of %d bytes %w", len(line), ErrTooLong)
	}
	return line, nil
}

// JSONRPC is what Message.JSONRPC says.
const JSONRPC = "2.0"

// What the host asks of a plugin. Between Initialize and Shutdown it asks one
// thing at a time, and only what the manifest provides.
const (
	MethodInitialize = "initialize"
	MethodLint       = "lint"
	MethodFormat     = "format"
	MethodDiscover   = "discover"
	MethodTask       = "task"
	MethodRelease    = "release"
	MethodImage      = "image"
	MethodCheck      = "check"
	MethodShutdown   = "shutdown"

	NoteEvent  = "event"    // a notification: something happened in a run
	NoteCancel = "$/cancel" // a notification: the answer is not needed any more
)

// What a plugin may ask of the host while it works on a request.
const (
	MethodExec     = "exec"
	MethodHTTP     = "http"
	MethodSecret   = "secret.get"
	MethodGit      = "git"
	MethodCacheGet = "cache.get"
	MethodCachePut = "cache.put"
	MethodHash     = "hash"

	NoteLog      = "log"      // a notification: a line for the developer
	NoteProgress = "progress" // a notification: how far it is
)

// Error is why a request was not answered.
type Error struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"` // Denied for CodeDenied
}

// Error says it in one line.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.Message, e.Code) }

// ErrorOf is err as the Error that tells it: itself, if it is one.
func ErrorOf(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if errors.Is(err, ErrTooLong) {
		return &Error{Code: CodeLimit, Message: err.Error()}
	}
	return &Error{Code: CodeInternal, Message: err.Error()}
}

// Codes of an Error. Those below -32600 are JSON-RPC's own.
const (
	CodeParse          = -32700
	CodeInvalidRequest = -32600
	CodeMethodNotFound = -32601
	CodeInvalidParams  = -32602
	CodeInternal       = -32603

	CodeDenied      = -32001 // not granted; Data says what would grant it
	CodeLimit       = -32002 // a limit of this plugin is reached
	CodeCanceled    = -32003 // the run ended before
	CodeUnavailable = -32004 // granted, and not to be had now: no engine, no network
	CodeInvalid     = -32005 // the project's configuration is wrong; Message is for its author
)

// Denied is what an Error with CodeDenied says of what was not granted.
type Denied struct {
	Capability string `json:"capability"`       // as in a grant: "http:GET https://api.example.com"
	Reason     string `json:"reason,omitempty"` // why the plugin's manifest asks for it; "" = it does not
	Grant      string `json:"grant"`            // the command that would grant it, or what has to change first
}
