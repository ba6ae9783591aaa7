package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"

	"github.com/wr-build/wr/runtime/spec"
)

// tries is how often something is tried that may go better the next time.
const tries = 5

// again tries f until it succeeds, fails for good or has failed too often.
func again[T any](ctx context.Context, progress func(spec.Step), f func() (T, error)) (T, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 300 * time.Millisecond
	return backoff.Retry(ctx, func() (T, error) {
		value, err := f()
		if err != nil && !passing(err) {
			err = backoff.Permanent(err)
		}
		return value, err
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(tries), backoff.WithNotify(func(err error, pause time.Duration) {
		if progress != nil {
			progress(spec.Step{ID: "again", Name: "trying again in " + pause.Round(time.Millisecond).String() + ": " + err.Error()})
		}
	}))
}

// passing reports whether err may be gone the next time. A registry that
// nobody serves or whose name is not known stays so for longer than anybody
// wants to wait, and a config.json that ends too early is no connection.
func passing(err error) bool {
	if unreachable(err) || errors.Is(err, context.Canceled) || errors.Is(err, errCredentials) {
		return false
	}
	if code := status(err); code != 0 {
		return code >= http.StatusInternalServerError || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
}

// unreachable reports whether there was nobody to talk to.
func unreachable(err error) bool {
	if _, unknown := errors.AsType[*net.DNSError](err); unknown {
		return true
	}
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

// status is the HTTP status that err is about, 0 for none.
func status(err error) int {
	if unexpected, ok := errors.AsType[remoteerrors.ErrUnexpectedStatus](err); ok {
		return unexpected.StatusCode
	}
	return 0
}
