// Package call answers what plugins ask of wr while they work: processes in
// containers, HTTP, secrets, facts of git, a store, hashes. Nothing is done that
// Grants do not allow; what is refused says what would allow it. All of it runs
// in wr itself, never in the process that holds the plugin.
package call

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Grants says what a plugin may do.
type Grants interface {
	// Allow is nil for what is granted.
	Allow(c abi.Capability) *abi.Denied
}

// Store is what a plugin keeps for later, by its own keys. It may forget.
type Store interface {
	Get(key string) (value []byte, found bool)
	Put(key string, value []byte)
}

// Functions are the functions of the host for one plugin that works on one
// request. What is nil is not to be had where wr runs now.
type Functions struct {
	Grants  Grants
	Project string // path of the project of the request
	// Ready makes the container of a project ready, for which an image may have to be
	// built; nil = all are. Exec runs a process in one that is. Its output may be as
	// long as MaxStream and more, and is cut then.
	Ready   func(ctx context.Context, project string) error
	Exec    func(ctx context.Context, p abi.ExecParams) (abi.ExecResult, error)
	HTTP    *Client
	Secrets *Secrets
	Git     func(ctx context.Context) (abi.GitResult, error)
	Store   Store
	Hash    func(ctx context.Context, globs []string) (map[string]string, error) // of files that the plugin may read
}

// Handle answers one request of the plugin.
func (f *Functions) Handle(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error) {
	switch method {
	case abi.MethodExec:
		return answer(ctx, params, f.exec)
	case abi.MethodHTTP:
		return answer(ctx, params, f.http)
	case abi.MethodSecret:
		return answer(ctx, params, f.secret)
	case abi.MethodGit:
		return answer(ctx, params, f.git)
	case abi.MethodCacheGet:
		return answer(ctx, params, f.storeGet)
	case abi.MethodCachePut:
		return answer(ctx, params, f.storePut)
	case abi.MethodHash:
		return answer(ctx, params, f.hash)
	}
	return nil, &abi.Error{Code: abi.CodeMethodNotFound, Message: fmt.Sprintf("the host has no function %q", method)}
}

// answer decodes params, does what is asked and says in the protocol's words
// how it went.
func answer[P, R any](ctx context.Context, params json.RawMessage, do func(context.Context, P) (R, error)) (any, *abi.Error) {
	var p P
	if len(params) > 0 {
		if err := json.Unmarshal(params, &p); err != nil {
			return nil, invalid(err.Error())
		}
	}
	result, err := do(ctx, p)
	if err != nil {
		return nil, asError(ctx, err)
	}
	return result, nil
}

// asError is err in the protocol's words.
func asError(ctx context.Context, err error) *abi.Error {
	if e, ok := errors.AsType[*abi.Error](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return &abi.Error{Code: abi.CodeCanceled, Message: context.Cause(ctx).Error()}
	}
	return &abi.Error{Code: abi.CodeUnavailable, Message: err.Error()}
}

func invalid(message string) *abi.Error {
	return &abi.Error{Code: abi.CodeInvalidParams, Message: message}
}

func limit(format string, args ...any) *abi.Error {
	return &abi.Error{Code: abi.CodeLimit, Message: fmt.Sprintf(format, args...)}
}

// nothing is the answer where the host lacks what a function needs.
func nothing(what string) *abi.Error {
	return &abi.Error{Code: abi.CodeUnavailable, Message: what + " is not to be had here"}
}

// allow returns the error of what is not granted.
func allow(g Grants, name, value string) error {
	denied := g.Allow(abi.Capability{Name: name, Value: value})
	if denied == nil {
		return nil
	}
	data, err := json.Marshal(denied)
	if err != nil {
		return err
	}
	return &abi.Error{Code: abi.CodeDenied, Message: denied.Capability + " is not granted; " + denied.Grant, Data: data}
}
