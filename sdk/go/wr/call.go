package wr

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Call is one request of the host while the plugin works on it, and what the
// plugin may ask of the host meanwhile. Errors of the host are *abi.Error: see
// Denied for the one of what is not granted.
type Call struct {
	wire *wire
	id   int64
}

// Log writes a line for the developer; level is debug, info, warn or error.
func (c *Call) Log(level, format string, args ...any) error {
	return c.wire.note(abi.NoteLog, abi.Log{Level: level, Message: fmt.Sprintf(format, args...)})
}

// Progress says how far the work is: done of total, which is 0 where it is not known.
func (c *Call) Progress(message string, done, total int64) error {
	return c.wire.note(abi.NoteProgress, abi.Progress{Message: message, Done: done, Total: total})
}

// Exec runs a process in a project's container. An exit code is no error.
func (c *Call) Exec(p abi.ExecParams) (abi.ExecResult, error) {
	return ask[abi.ExecResult](c, abi.MethodExec, p)
}

// HTTP sends a request. A status is no error.
func (c *Call) HTTP(p abi.HTTPParams) (abi.HTTPResult, error) {
	return ask[abi.HTTPResult](c, abi.MethodHTTP, p)
}

// Secret returns a secret. HTTPParams.Secrets does without.
func (c *Call) Secret(name string) (string, error) {
	r, err := ask[abi.SecretResult](c, abi.MethodSecret, abi.SecretParams{Name: name})
	return r.Value, err
}

// Git returns facts of the repository.
func (c *Call) Git() (abi.GitResult, error) {
	return ask[abi.GitResult](c, abi.MethodGit, abi.Empty{})
}

// CacheGet returns what CachePut has kept under key, if it is still there.
func (c *Call) CacheGet(key string) (value []byte, found bool, err error) {
	r, err := ask[abi.CacheResult](c, abi.MethodCacheGet, abi.CacheParams{Key: key})
	return r.Value, r.Found, err
}

// CachePut keeps value under key for later sessions of these bytes of the plugin.
func (c *Call) CachePut(key string, value []byte) error {
	_, err := ask[abi.Empty](c, abi.MethodCachePut, abi.CacheParams{Key: key, Value: value})
	return err
}

// Hash returns the sha256 of the files that globs name, in hexadecimal, by path.
// It is some twenty times as fast as to read and hash them here.
func (c *Call) Hash(globs ...string) (map[string]string, error) {
	r, err := ask[abi.HashResult](c, abi.MethodHash, abi.HashParams{Globs: globs})
	return r.Files, err
}

// Canceled says whether the host has told that it does not need the answer any
// more. It is told only while something is asked of the host.
func (c *Call) Canceled() bool {
	return slices.ContainsFunc(c.wire.early, func(m abi.Message) bool { return isCancel(m, c.id) })
}

func ask[R any](c *Call, method string, params any) (R, error) {
	var r R
	err := c.wire.ask(method, params, &r)
	return r, err
}

// Denied says whether err is of something that is not granted to this plugin.
func Denied(err error) bool {
	e, ok := errors.AsType[*abi.Error](err)
	return ok && e.Code == abi.CodeDenied
}
