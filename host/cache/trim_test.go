package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
)

// aged makes a file look as if it was used last that long ago.
func aged(t *testing.T, file string, ago time.Duration) {
	t.Helper()
	then := time.Now().Add(-ago)
	if err := os.Chtimes(file, then, then); err != nil {
		t.Fatal(err)
	}
}

// hours puts blobs of 4 KiB into the cache in dir, used one more hour ago each,
// and a result for each.
func hours(t *testing.T, c *cache.Cache, dir string, n int) []cache.Digest {
	t.Helper()
	all := make([]cache.Digest, n)
	for i := range all {
		all[i] = put(t, c, fmt.Sprintf("%4096d", i))
		aged(t, filepath.Join(dir, cache.BlobFile(all[i])), time.Duration(i)*time.Hour)
		c.PutResult(cache.KeyOf("test", fmt.Sprint(i)), cache.Result{Outputs: []cache.Output{{Path: "a", Digest: all[i]}}})
	}
	return all
}

func there(t *testing.T, dir string, d cache.Digest) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(dir, cache.BlobFile(d)))
	return err == nil
}

func TestATrimRemovesWhatWasUsedLongestAgo(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	blobs := hours(t, c, dir, 10)
	if _, ok := c.Blob(blobs[9]); !ok { // which makes it the one used last
		t.Fatal("a miss")
	}
	cache.Flush(c)
	before, err := c.Size(t.Context())
	if want := (cache.Usage{Results: 10, Blobs: 10, Bytes: 11 * 4096}); err != nil || before != want {
		t.Fatalf("got %+v, %v, want %+v", before, err, want)
	}
	for _, tt := range []struct {
		bytes int64
		want  cache.Usage
	}{
		{before.Bytes, before},
		{before.Bytes - 1, cache.Usage{Results: 9, Blobs: 9, Bytes: 10 * 4096}},
		{5 * 4096, cache.Usage{Results: 4, Blobs: 4, Bytes: 5 * 4096}},
	} {
		if got, err := c.Trim(t.Context(), tt.bytes); err != nil || got != tt.want {
			t.Errorf("trimmed to %d: got %+v, %v, want %+v", tt.bytes, got, err, tt.want)
		}
	}
	for i, d := range blobs {
		want := i < 3 || i == 9
		if _, ok := c.Result(cache.KeyOf("test", fmt.Sprint(i))); ok != want || there(t, dir, d) != want {
			t.Errorf("%d is there: %t, its result: %t", i, there(t, dir, d), ok)
		}
	}
	if got, err := c.Trim(t.Context(), 0); err != nil || got != (cache.Usage{}) {
		t.Errorf("trimmed to nothing: got %+v, %v", got, err)
	}
	c.PutResult(cache.KeyOf("test"), cache.Result{})
	c = reopen(t, c, dir)
	if _, ok := c.Result(cache.KeyOf("test")); !ok {
		t.Error("afterwards nothing is kept")
	}
}

func TestWhatIsUsedOrGoesDuringATrimDoesNotDisturbIt(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	blobs := hours(t, c, dir, 10)
	err := cache.Evict(c, 5*4096, func() {
		if _, ok := c.Blob(blobs[9]); !ok {
			t.Error("a miss")
		}
		if err := os.Remove(filepath.Join(dir, cache.BlobFile(blobs[8]))); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range blobs {
		if want := i < 4 || i == 9; there(t, dir, d) != want {
			t.Errorf("%d is there: %t", i, !want)
		}
	}
}

func TestATrimTakesLargeResultsWithTheirBlob(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	key := cache.KeyOf("test", "large")
	c.PutResult(key, cache.Result{Data: make([]byte, 100<<10)})
	c.PutResult(cache.KeyOf("test", "small"), cache.Result{})
	cache.Flush(c)
	got, err := c.Trim(t.Context(), 20<<10)
	if want := (cache.Usage{Results: 1, Bytes: 4096}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, ok := c.Result(key); ok {
		t.Error("it is there")
	}
}

func TestATrimRemovesWhatWasLeftHalfDone(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	put(t, c, "report")
	old, fresh := filepath.Join(dir, cache.Temps, "old"), filepath.Join(dir, cache.Temps, "fresh")
	for _, file := range []string{old, fresh} {
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aged(t, old, cache.Abandoned+time.Minute)
	if u, err := c.Trim(t.Context(), 1<<30); err != nil || u.Bytes != 2*4096 {
		t.Errorf("got %+v, %v", u, err)
	}
	if _, err := os.Stat(old); err == nil {
		t.Error("a file that nobody writes is still there")
	}
	stat(t, fresh)
}

func TestAFolderOfAnotherVersionIsLeftForAMonth(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	for name, tt := range map[string]struct {
		ago  time.Duration
		left bool
	}{
		"v2":     {cache.OtherKept - time.Hour, true},
		"v0":     {cache.OtherKept + time.Hour, false},
		"others": {cache.OtherKept + time.Hour, true}, // no version
	} {
		marker := filepath.Join(dir, name, filepath.Base(cache.TrimFile))
		if err := errors.Join(os.MkdirAll(filepath.Dir(marker), 0o700), os.WriteFile(marker, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		aged(t, marker, tt.ago)
		if _, err := c.Trim(t.Context(), 1<<30); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(marker); (err == nil) != tt.left {
			t.Errorf("%s is left: %t", name, err == nil)
		}
	}
}

func TestATrimCanBeCalledOff(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	hours(t, c, dir, 3)
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	cancel(interrupted)
	if _, err := c.Trim(ctx, 0); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Size(ctx); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
	if u, err := c.Size(t.Context()); err != nil || u.Blobs != 3 {
		t.Errorf("got %+v, %v", u, err)
	}
}

// A cache may be over its limit until somebody writes, an interval after the
// last trim.
func TestWhoWritesTrimsWhenItIsTime(t *testing.T) {
	const limit = 20 * 4096
	cases := map[string]struct {
		last    time.Duration // since the last trim
		write   bool
		trimmed bool
	}{
		"who only reads does not":          {2 * time.Hour, false, false},
		"shortly after the last trim":      {time.Minute, true, false},
		"an interval after the last trim":  {2 * time.Hour, true, true},
		"after a trim that is yet to come": {-2 * time.Hour, true, true},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			c := open(t, dir, cache.Options{})
			hours(t, c, dir, 30)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			aged(t, filepath.Join(dir, cache.TrimFile), tt.last)
			c = open(t, dir, cache.Options{MaxBytes: limit, TrimEvery: time.Hour})
			if _, ok := c.Result(cache.KeyOf("test", "0")); !ok {
				t.Error("a miss")
			}
			if tt.write {
				put(t, c, "more")
			}
			c = reopen(t, c, dir)
			u, err := c.Size(t.Context())
			if trimmed := u.Bytes <= limit; err != nil || trimmed != tt.trimmed || trimmed && u.Blobs < 14 { // one may be just being written
				t.Errorf("got %+v, %v, want it trimmed: %t", u, err, tt.trimmed)
			}
		})
	}
}

func TestOneProcessTrimsAtATime(t *testing.T) {
	dir := folder(t)
	c := open(t, dir, cache.Options{})
	hours(t, c, dir, 3)
	unlock := flock(t, filepath.Join(dir, cache.TrimFile))
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("waited"))
	defer cancel()
	if _, err := c.Trim(ctx, 0); err == nil || err.Error() != "waited" {
		t.Errorf("while another one trims: %v", err)
	}
	unlock()
	if u, err := c.Trim(t.Context(), 0); err != nil || u.Blobs != 0 {
		t.Errorf("after that: %+v, %v", u, err)
	}
}

func TestAWriterThatHangsHoldsNobodyUpForLong(t *testing.T) {
	dir := folder(t)
	c, err := cache.Open(dir, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c.PutResult(cache.KeyOf("test"), cache.Result{})
	cache.Flush(c)
	unlock := flock(t, filepath.Join(dir, cache.LockFile))
	defer unlock()
	c.PutResult(cache.KeyOf("test", "more"), cache.Result{})
	started := time.Now()
	cache.Flush(c)
	if took := time.Since(started); took > time.Second {
		t.Errorf("in the middle of a run it took %v", took)
	}
	if err := c.Close(); err == nil || !strings.Contains(err.Error(), "another wr is writing to it") || !strings.Contains(err.Error(), "[cache.not_written]") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("at its end it took %v", took)
	}
	var later clock
	later.set(2 * cache.Coarse)
	second, err := cache.Open(dir, cache.Options{Now: later.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := second.Result(cache.KeyOf("test")); !ok {
		t.Error("what was written before cannot be read")
	}
	if err := second.Close(); err != nil {
		t.Errorf("a use that could not be recorded is reported: %v", err)
	}
}

// flock locks a file as another process would.
func flock(t *testing.T, file string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() { _ = f.Close() }
}
