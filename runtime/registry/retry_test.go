package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"

	"github.com/wr-build/wr/runtime/spec"
)

// answered is the error of an answer with a status.
func answered(code int) error {
	return fmt.Errorf("head manifest: %w", remoteerrors.ErrUnexpectedStatus{Status: http.StatusText(code), StatusCode: code})
}

// slow is a network error that says it took too long.
type slow struct{}

func (slow) Error() string   { return "i/o timeout" }
func (slow) Timeout() bool   { return true }
func (slow) Temporary() bool { return true }

func TestOnlyWhatMayPassIsTriedAgain(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"a broken server":            {answered(http.StatusInternalServerError), true},
		"a server that is away":      {answered(http.StatusServiceUnavailable), true},
		"a gateway":                  {answered(http.StatusBadGateway), true},
		"too many requests":          {answered(http.StatusTooManyRequests), true},
		"a request that was slow":    {answered(http.StatusRequestTimeout), true},
		"a bad request":              {answered(http.StatusBadRequest), false},
		"no credentials":             {answered(http.StatusUnauthorized), false},
		"no rights":                  {answered(http.StatusForbidden), false},
		"nothing there":              {answered(http.StatusNotFound), false},
		"a tag that is taken":        {answered(http.StatusPreconditionFailed), false},
		"a connection that was cut":  {fmt.Errorf("copy: %w", io.ErrUnexpectedEOF), true},
		"a connection that ended":    {io.EOF, true},
		"a connection that is reset": {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		"an answer that is slow":     {slow{}, true},
		"nobody listens":             {refused, false},
		"a name that is not known":   {&net.DNSError{Name: "reg.test", IsNotFound: true}, false},
		"half a config.json":         {fmt.Errorf("%w: %w", errCredentials, io.ErrUnexpectedEOF), false},
		"the user's own end":         {context.Canceled, false},
		"anything else":              {errors.New("digest mismatch"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := passing(tt.err); got != tt.want {
				t.Errorf("passing(%v) = %v", tt.err, got)
			}
		})
	}
}

func TestTryingAgainEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		errs  []error // of the tries, the last for all after it
		tries int
		fails bool
	}{
		"at the first success":     {[]error{answered(503), answered(503), nil}, 3, false},
		"after five tries":         {[]error{answered(503)}, tries, true},
		"at what stays as it is":   {[]error{answered(503), answered(403)}, 2, true},
		"at once when all is well": {[]error{nil}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				made, told := 0, 0
				got, err := again(t.Context(), func(spec.Step) { told++ }, func() (int, error) {
					err := tt.errs[min(made, len(tt.errs)-1)]
					made++
					return made, err
				})
				if (err != nil) != tt.fails || made != tt.tries || err == nil && got != made {
					t.Errorf("got %d, %v after %d tries, want %d", got, err, made, tt.tries)
				}
				if told != made-1 {
					t.Errorf("told %d times of %d tries", told, made)
				}
			})
		})
	}
}

func TestTryingAgainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began, made := time.Now(), 0
		_, err := again(ctx, nil, func() (int, error) {
			made++
			return 0, answered(503)
		})
		if err == nil || made != 1 || time.Since(began) > time.Second {
			t.Errorf("ended after %v and %d tries with %v", time.Since(began), made, err)
		}
	})
}
