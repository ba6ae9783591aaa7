//go:build linux && engine

package image_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// writeTag writes a manifest under a tag, when all are there that want to.
func (s *served) writeTag(w http.ResponseWriter, r *http.Request, behind http.Handler) {
	if s.together != nil {
		turn := make(chan struct{})
		done := make(chan struct{})
		s.together <- func() { close(turn); <-done }
		<-turn
		defer close(done)
	}
	if s.obeys && r.Header.Get("If-None-Match") == "*" {
		there := httptest.NewRecorder()
		head := r.Clone(r.Context())
		head.Method, head.Body = http.MethodHead, http.NoBody
		behind.ServeHTTP(there, head)
		if there.Code == http.StatusOK {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
	}
	s.manifests.Add(1)
	behind.ServeHTTP(w, r)
}

// counted counts what is sent, until the limit.
type counted struct {
	http.ResponseWriter
	by *served
}

func (c *counted) Write(p []byte) (int, error) {
	allowed := len(p)
	if limit := c.by.limit.Load(); limit > 0 {
		allowed = int(min(int64(allowed), max(0, limit-c.by.sent.Load())))
	}
	n, err := c.ResponseWriter.Write(p[:allowed])
	c.by.sent.Add(int64(n))
	if allowed < len(p) {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// TestTwoFirstPushesLeaveOneWholeImage lets both look before either writes. A
// registry that knows If-None-Match takes the first, and both are told which.
// Any other takes both: the tag names the one that wrote last, who knows it, and
// both images are there by their digests.
func TestTwoFirstPushesLeaveOneWholeImage(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	for name, tt := range map[string]struct {
		obeys   bool
		written int32 // how often the tag was written
		know    int   // how many are told at least what the tag names in the end
	}{"in a registry that obeys": {true, 1, 2}, "in one that does not": {false, 2, 1}} {
		t.Run(name, func(t *testing.T) {
			s := serveRegistry(t)
			s.obeys, s.together = tt.obeys, make(chan func())
			r := openRegistry(t, s.login(t, "secret"))
			remote := s.host + "/acme/web:in-two"
			var both sync.WaitGroup
			var made [2]spec.Image
			var pushed [2]spec.Pushed
			for i := range made {
				made[i] = builtAs(t, builder, fmt.Sprint("wr.local/two:", i), fmt.Sprint(name, i))
				both.Go(func() {
					var err error
					if pushed[i], err = r.Push(t.Context(), spec.Copy{Local: made[i].Ref, Remote: remote}, nil); err != nil {
						t.Error(err)
					}
				})
			}
			first, second := <-s.together, <-s.together
			first()
			second()
			both.Wait()
			final, _, err := r.Resolve(t.Context(), remote)
			if err != nil || final != made[0].Digest && final != made[1].Digest {
				t.Fatalf("the tag names %q, %v", final, err)
			}
			know := 0
			for i, p := range pushed {
				if p.Digest == final {
					know++
				}
				if _, found, err := r.Resolve(t.Context(), s.host+"/acme/web@"+made[i].Digest); err != nil || !found {
					t.Errorf("image %d is not there by its digest: %v", i, err)
				}
			}
			if know < tt.know || pushed[0].There && pushed[1].There || tt.obeys && pushed[0].There == pushed[1].There {
				t.Errorf("they are told %+v; the tag names %s", pushed, final)
			}
			if n := s.manifests.Load(); n != tt.written {
				t.Errorf("the tag was written %d times, want %d", n, tt.written)
			}
		})
	}
}

// TestTheNextPullGoesOnWhereOneFailed cuts the connection off for good until a
// pull gives up, and starts another one, as a user would: with nothing of the
// first but what the store has.
func TestTheNextPullGoesOnWhereOneFailed(t *testing.T) {
	builder, bases := connect(t)
	s := serveRegistry(t)
	credentials := s.login(t, "secret")
	const size = 8 << 20
	made, err := image.Import(t.Context(), bases, "acme/bigger", func(w io.Writer) error { return fileTar(w, "bigger", size) })
	must(t, err)
	c := spec.Copy{Local: made.Ref, Remote: s.host + "/acme/web:in-bigger"}
	_, err = openRegistry(t, credentials).Push(t.Context(), c, nil)
	must(t, err)
	must(t, builder.Forget(t.Context(), made.Ref))
	s.limit.Store(size / 2)
	if _, _, err = openRegistry(t, credentials).Pull(t.Context(), c, nil); fault.Of(err) == nil {
		t.Fatal("a pull that was cut off has succeeded")
	}
	before := s.sent.Swap(0)
	s.limit.Store(0)
	s.resumed.Store(0)
	pulled, ok, err := openRegistry(t, credentials).Pull(t.Context(), c, nil)
	if err != nil || !ok || pulled.Digest != made.Digest {
		t.Fatalf("got %+v, %v, %v", pulled, ok, err)
	}
	must(t, builder.Forget(t.Context(), made.Ref))
	t.Logf("%d bytes in the first run, %d in the second, of %d", before, s.sent.Load(), size)
	// A megabyte may have been on its way when the connection broke.
	if s.resumed.Load() == 0 || s.sent.Load() > size-before+1<<20 {
		t.Errorf("the second run fetched %d bytes after %d of the first", s.sent.Load(), before)
	}
}
